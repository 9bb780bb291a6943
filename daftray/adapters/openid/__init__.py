"""An OpenID provider over HTTP."""
