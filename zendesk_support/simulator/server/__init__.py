"""Zendesk's protocol: HTTP, credentials, limits, paging, exports and trouble, for whatever routes it is given."""
