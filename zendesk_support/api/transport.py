"""HTTP for every stream and thread: paced, retried, bounded, and faithful to one account's hosts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from zendesk_support.api.answers import (
    RETRIED,
    TOO_SLOW,
    Answer,
    contract,
    is_web_page,
    names_error,
    no_such_account,
    refusal,
    refused_credentials,
    refused_here,
    refused_in_doubt,
    retry_after,
    unreadable,
    words,
)
from zendesk_support.api.clock import Clock
from zendesk_support.api.connections import BrokenAnswer
from zendesk_support.api.credentials import is_token
from zendesk_support.api.hosts import Host
from zendesk_support.api.limits import ACCOUNT
from zendesk_support.api.rate_limiter import Overdue, Permit, RateLimiter
from zendesk_support.api.refusals import Refusals
from zendesk_support.api.request import WHO_AM_I, Request, Usage, read_me
from zendesk_support.api.retries import LONGEST_PAUSE, TOKEN_TRIES, Attempts, Retry
from zendesk_support.api.sender import Sender
from zendesk_support.api.tokens import Auth, Token
from zendesk_support.errors import (
    ConfigurationError,
    ContractError,
    CredentialsError,
    PageTooHeavyError,
    ProductInactiveError,
    UnavailableError,
    ZendeskError,
)
from zendesk_support.records.json_repair import Unmendable, decoded
from zendesk_support.settings import Settings

T = TypeVar("T")

CONFIRMED = (UnavailableError, ProductInactiveError, ContractError)
"""Refusals that are asked about once more, where a request wants that; no more special ones."""
LASTING = (msgspec.ValidationError, Unmendable, RecursionError)
"""What is wrong with an answer that will most likely come again."""
TOKENS = "/oauth/tokens"
FAN_OUT = 16
"""So many short requests of one stream are worth sending at a time, at least."""

read_token = msgspec.json.Decoder(Token).decode


class Transport:
    """Sends requests for all streams of one account.

    Attributes:
        auth: the account's credentials.
        accepted: Zendesk has answered the account's credentials.
        fatal_error: why no request of this run can succeed, once that is known.
        stopped: set where the run is over.
    """

    def __init__(self, settings: Settings, clock: Clock, limiter: RateLimiter, stop: threading.Event) -> None:
        self._settings = settings
        self._clock = clock
        self._limiter = limiter
        self._stop = self.stopped = stop
        self.auth: Auth | None = None
        self.accepted = False
        self.fatal_error: ZendeskError | None = None
        self._sender = Sender(settings, clock, stop, self._secrets)
        self._refusals = Refusals()

    @property
    def server_time(self) -> float | None:
        """Zendesk's time at the last answer, Unix seconds."""
        return self._sender.server_time

    @property
    def first_server_time(self) -> float | None:
        """Zendesk's time at the first answer, Unix seconds."""
        return self._sender.first_server_time

    def add_host(self, url: str, auth: Auth) -> str:
        """Give a host credentials of its own, and never the account's; its origin.

        Raises:
            ValueError: it would get them unencrypted, has others already, or is no host.
        """
        return self._sender.hosts.add(url, auth)

    def allow_host(self, url: str) -> str | None:
        """Let the account's credentials go to a brand's host; its origin, or None where it is refused."""
        return self._sender.hosts.allow(url)

    def set_apart(self, prefix: str, auth: Auth, address: str | None) -> None:
        """Give a part of the account's API credentials, and perhaps an address, of its own, as `Hosts` does.

        Raises:
            ValueError: it would get them unencrypted, or the address is that of a host with other credentials.
        """
        self._sender.hosts.set_apart(prefix, auth, address)

    def at_once(self) -> int:
        """How many short requests of one stream are worth sending at a time: what the account may send in a second."""
        return max(FAN_OUT, self._limiter.allowed(ACCOUNT) // 60)

    def close(self) -> None:
        """Close all connections."""
        self._sender.connections.close()

    # Asking

    def get(self, request: Request, decode: Callable[[bytes], T], usage: Usage) -> T:
        """Fetch and decode one answer, retrying what can pass on a second try.

        Args:
            request: what to ask.
            decode: turns the body into a value; its `msgspec.DecodeError` counts as a broken body.
            usage: counts requests and waiting (seconds).

        Raises:
            UnavailableError: 403, 404, or a 401 of credentials that are good elsewhere.
            ConfigurationError: the credentials are refused, or a link leads to another host.
            TransientError: still failing at the retry deadline.
            ContractError: any other refusal, quoted.
        """
        attempts = self._attempts(request.route, usage)
        find = self._sender.find
        return self._until_answered(
            attempts, lambda: self._ask(request, *find(request.url, request.route), decode, attempts)
        )

    def _attempts(self, route: str, usage: Usage) -> Attempts:
        return Attempts(route, usage, self._settings.retry_deadline, self._clock, self._stop)

    def _until_answered(self, attempts: Attempts, ask: Callable[[], T]) -> T:
        """Ask again and again, until there is an answer or an error."""
        while True:
            try:
                return ask()
            except Retry as retry:
                attempts.wait(retry, self._sender.contact.longest_pause)

    def _ask(self, request: Request, url: str, host: Host, decode: Callable[[bytes], T], attempts: Attempts) -> T:
        """Send a request once.

        Raises:
            Retry: in vain, but it may be sent again.
        """
        self._authorization(host)  # a request without a token need not wait, nor be given a permit
        permit = self._permit(request, attempts)
        try:
            authorization = self._authorization(host)  # once more, as a token may have ended while waiting
            answer = self._sender.send("GET", url, host, authorization, params=request.params)
        except BrokenAnswer as error:
            self._limiter.abandon(permit, str(error))
            raise self._broken(error, host, attempts) from error
        except BaseException:
            self._limiter.abandon(permit)
            raise
        if answer.status == 429:
            raise self._limited(permit, answer, attempts)
        self._limiter.settle(permit, answer.headers, answer.began)
        if answer.status == 200:
            return self._read(request, host, answer, decode, attempts)
        if answer.status == 401:
            raise self._unauthorized(request, url, host, authorization, answer, attempts)
        if answer.status == 403 and self._sender.hosts.give_up_account(url, host):
            raise Retry
        raise self._refused(request, answer, attempts)

    def _permit(self, request: Request, attempts: Attempts) -> Permit:
        """Wait for all limits, but for none that stays refused or silent until the deadline."""
        attempts.begin()
        try:
            permit = self._limiter.acquire(
                request.route, request.limits, self._stop, attempts.patience, request.priority, request.reached
            )
        except Overdue as error:
            attempts.usage.waited += error.waited
            raise attempts.gave_up(attempts.said or str(error)) from None
        attempts.usage.waited += permit.waited
        attempts.usage.requests += 1
        attempts.extend(permit.queued)
        return permit

    # Judging what came

    def _broken(self, error: BrokenAnswer, host: Host, attempts: Attempts) -> Exception:
        """What follows from a request without an answer."""
        if host.auth is None:
            self._check(lambda: self._sender.contact.check_reached(error))
        return attempts.failed(str(error))

    def _limited(self, permit: Permit, answer: Answer, attempts: Attempts) -> Retry:
        """Let the limit of a 429 pause as it asks."""
        said = f"429: {self._words(answer)}"
        asked = retry_after(answer.headers)
        self._limiter.pause(permit, min(asked, LONGEST_PAUSE), answer.headers, said, answer.body)
        self._limiter.settle(permit, answer.headers, answer.began)
        return attempts.limited(said, asked)

    def _read(
        self, request: Request, host: Host, answer: Answer, decode: Callable[[bytes], T], attempts: Attempts
    ) -> T:
        """Decode the body of a 200."""
        try:
            found = decoded(answer.body, decode, self._stop.is_set)
        except (msgspec.DecodeError, RecursionError) as error:
            said = unreadable(answer, error)
            if isinstance(error, LASTING) and attempts.is_enough:
                raise contract(request.route, said) from error
            if host.auth is None:
                self._check_sense(answer)
            raise attempts.failed(said) from error
        if names_error(answer.body):
            said = f"200 with an error: {self._words(answer)}"
            raise contract(request.route, said) if attempts.is_enough else attempts.failed(said)
        self.accepted = self.accepted or host.auth is None
        self._refusals.answered(request.route)
        attempts.usage.trouble = None
        return found

    def _refused(self, request: Request, answer: Answer, attempts: Attempts) -> Exception:
        """What follows from a status other than 200, 401 and 429: another try, or an error."""
        said = f"{answer.status}: {self._words(answer)}"
        if answer.status in TOO_SLOW and request.shrinkable:
            return PageTooHeavyError(f"{request.route}: {said}")
        if answer.status in RETRIED:
            return attempts.failed(said, told_pause(answer))
        if answer.status == 404 and b"No help desk at" in answer.body:
            return self._end(no_such_account(self._settings.base_url, self._words(answer)))
        error = refusal(request.route, answer.status, self._words(answer))
        again = attempts.confirm(said) if request.confirm_refusal and type(error) in CONFIRMED else None
        return again or error

    def _unauthorized(
        self, request: Request, url: str, host: Host, authorization: str, answer: Answer, attempts: Attempts
    ) -> Exception:
        """What follows from a 401: another try with another token, else an error of all requests or of this one."""
        said, route, refusals = self._words(answer), request.route, self._refusals
        attempts.said = f"401: {said}"
        with refusals.judging:
            if self._sender.hosts.give_up_account(url, host):
                return Retry()
            if refusals.is_known(route, authorization):
                return refused_here(route, said, is_own=host.auth is not None)
            if authorization != self._authorization(host) and (again := attempts.token_ended()):
                return again  # by another's renewal, under way
            if refusals.may_renew(route) and (again := attempts.renew(lambda: self._renewed(host, authorization))):
                return again
            is_known = True if host.auth is not None else self._are_known()
            if is_known is False:
                if again := attempts.renew(lambda: self._renewed(host, authorization)):
                    return again
                return self._end(refused_credentials(said))
            if is_known is None:
                return refused_in_doubt(route, said)
            refusals.add(route, authorization)
            return refused_here(route, said, is_own=host.auth is not None)

    def _are_known(self) -> bool | None:
        """Whether Zendesk knows who we are; None where it does not say.

        An answer that says nothing counts as no, until Zendesk has answered another request.
        """
        home = self._sender.hosts.home
        answer: Answer | None = None
        nothing_said = None if self.accepted else False
        try:
            for _ in range(TOKEN_TRIES):
                header = self._auth_of(home).header()
                answer = self._sender.send("GET", f"{home.origin}{WHO_AM_I.url}", home, header)
                if answer.status not in (200, 401):
                    return None if answer.status in RETRIED else nothing_said
                if answer.status == 200 and decoded(answer.body, read_me, self._stop.is_set).user.id is not None:
                    return True
                if header == self._auth_of(home).header():
                    break
            return False
        except BrokenAnswer:
            return None
        except (msgspec.DecodeError, RecursionError):
            return nothing_said if answer is not None and is_web_page(answer) else None

    def _check_sense(self, answer: Answer) -> None:
        """Give the account's host up where it has answered nothing but web pages for long."""
        if not self.accepted:
            self._check(lambda: self._sender.contact.check_sense(answer))

    def _check(self, check: Callable[[], None]) -> None:
        """What a check finds wrong with the account's host ends the run."""
        try:
            check()
        except ConfigurationError as error:
            raise self._end(error) from None

    def _end(self, error: ZendeskError) -> ZendeskError:
        """Let no further request be sent: the first reason holds for all."""
        self.fatal_error = self.fatal_error or error
        return self.fatal_error

    # Credentials

    def _auth_of(self, host: Host) -> Auth:
        auth = host.auth or self.auth
        assert auth is not None
        return auth

    def _authorization(self, host: Host) -> str:
        """The Authorization header; without the account's, no request of the run can succeed."""
        if self.fatal_error is not None:
            raise self.fatal_error
        return self._of_auth(host, self._auth_of(host).header)

    def _renewed(self, host: Host, refused: str) -> bool:
        """Get a new header in place of a refused one; False where there is none to get."""
        return self._of_auth(host, lambda: self._auth_of(host).renew(refused))

    def _of_auth(self, host: Host, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except ZendeskError as error:
            if host.auth is None:
                self._end(error)
            raise

    def _secrets(self) -> list[str]:
        return [*(self.auth.secrets() if self.auth is not None else ()), *self._sender.hosts.secrets()]

    def _words(self, answer: Answer) -> str:
        """What Zendesk said, without the credentials that a proxy may quote."""
        return words(answer, self._secrets())

    # Tokens

    def post_token(self, payload: dict[str, str]) -> Token:
        """Ask `/oauth/tokens` for an access token.

        Raises:
            CredentialsError: Zendesk refuses the client or the token.
            TransientError: still failing at the retry deadline.
        """
        if self.fatal_error is not None:
            raise self.fatal_error
        attempts = self._attempts(TOKENS.strip("/"), Usage())
        attempts.begin()
        try:
            return self._until_answered(attempts, lambda: self._ask_token(payload, attempts))
        except ZendeskError as error:
            self._end(error)
            raise

    def _ask_token(self, payload: dict[str, str], attempts: Attempts) -> Token:
        """Ask for a token once.

        Raises:
            Retry: in vain, but it may be sent again.
        """
        home = self._sender.hosts.home
        try:
            answer = self._sender.send("POST", f"{home.origin}{TOKENS}", home, None, payload=payload)
        except BrokenAnswer as error:
            raise self._broken(error, home, attempts) from error
        if answer.status in (200, 201):
            return self._read_token(answer, attempts)
        said = self._words(answer)
        if answer.status == 429 or answer.status in RETRIED:
            raise attempts.failed(f"{answer.status}: {said}", told_pause(answer))
        raise CredentialsError(
            f"Zendesk refused the {payload['grant_type']} grant at {self._settings.base_url} "
            f'({answer.status}: "{said}"). Check subdomain, client_id, client_secret and refresh_token; '
            "docs/credentials.md has how to get them."
        )

    def _read_token(self, answer: Answer, attempts: Attempts) -> Token:
        try:
            token = decoded(answer.body, read_token, self._stop.is_set)
        except (msgspec.DecodeError, RecursionError) as error:
            self._check_sense(answer)
            raise attempts.failed(unreadable(answer, error)) from error
        if is_token(token.access_token) and is_token(token.refresh_token or "-"):
            return token
        raise attempts.failed("200 with a token of characters that no header can hold")


def told_pause(answer: Answer) -> float | None:
    """Seconds that an answer asks to wait; None where it does not say."""
    return retry_after(answer.headers) if "Retry-After" in answer.headers else None
