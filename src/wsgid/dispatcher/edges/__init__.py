"""An edge turns its protocol into requests, and what is to be sent into its protocol. Nothing else here knows one."""
