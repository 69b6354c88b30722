//! The keys that say who may read, and what a client may cost.

use super::keys::{Key, flagged, key};

/// All of them, in the order of the reference.
pub(super) const SECURITY_KEYS: &[Key] = &[
    flagged(
        "http.insecure",
        "--insecure",
        "`true` or `false`",
        "Serve also beyond this host to everybody, without asking who they are.",
    ),
    key(
        "http.unix_socket",
        "a path of at most about 90 bytes, in a directory that exists",
        "Serve on a unix socket as well, or, with `bind = []`, on nothing else. Whoever its mode lets in may read everything. What an agent that has ended left behind is replaced.",
    ),
    key(
        "http.unix_socket_mode",
        "a text of octal digits, such as `\"0660\"`",
        "The permissions of the unix socket.",
    ),
    key(
        "http.unix_socket_group",
        "the name or the number of a group",
        "The group of the unix socket. Not set: that of the agent.",
    ),
    key(
        "http.allowed_hosts",
        "a list of names such as `[\"gpu-1.example\"]`, or `[\"*\"]`",
        "Names under which clients may ask an agent without authentication that only this host reaches, such as the one that a proxy here is known by: otherwise a web page whose name is made to lead to 127.0.0.1 could read (DNS rebinding). Addresses, `localhost`, names without a dot, `metrics.node` and the host in `metrics.target` always count.",
    ),
    key(
        "http.max_connections_per_client",
        "a number from 1",
        "Connections that an IPv4 address, or a network `/64` of IPv6, may have open at a time. Not set: any.",
    ),
    key(
        "http.rate_limit",
        "a number from 1",
        "Requests a second that an IPv4 address, or a network `/64` of IPv6, may send in the long run; more are answered with 429. Not set: any.",
    ),
    key(
        "http.rate_burst",
        "a number from 1, with `http.rate_limit`",
        "Requests that it may send at once after a pause. Not set: as many as in a second.",
    ),
    key(
        "tls.certificate",
        "a path, with `tls.key`",
        "PEM file with the certificate of the agent, and those between it and its authority. Set, the addresses are served by TLS only. The file is read again when it changes, and at SIGHUP.",
    ),
    key(
        "tls.key",
        "a path, with `tls.certificate`",
        "PEM file with the private key of the certificate. It is read again with it.",
    ),
    key(
        "tls.client_ca",
        "a path, with `tls.certificate`",
        "PEM file with the authorities of client certificates. Set, every client has to show a certificate. It is read again with the agent's.",
    ),
    key(
        "tls.client_scopes",
        "a list of `\"read\"`, `\"metrics\"` and `\"admin\"`",
        "What a client with a certificate may do without further credentials.",
    ),
    key(
        "auth.tokens_file",
        "a path",
        "File with the hashes of bearer tokens, a line `scope[,scope] name sha256:HEX` each, as `gpulse token` prints it. It is read again when it changes, and at SIGHUP.",
    ),
    key(
        "auth.users_file",
        "a path",
        "File with users, a line `user:bcrypt-hash[:scope[,scope]]` each, the first two parts as `htpasswd -B` writes them; without scopes a user may `read`. It is read again when it changes, and at SIGHUP.",
    ),
];
