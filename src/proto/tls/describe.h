// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hello and certificate → facts, in one place for TLS, DTLS and QUIC. Text that is made here (folded names, fingerprints,
// certificate names) lives in memory of the thread until the next call; the describer copies it before parse() is called again.

#include "facts/describer.h"
#include "proto/tls/certificate.h"
#include "proto/tls/hello.h"

namespace weir::proto::tls {

/// Facts of the client's hello, then kClientHello is reached and the rules run. Without `complete` they are hidden.
void describe_client_hello(const ClientHello& hello, Carrier carrier, Describer& out);
/// tls.sni and server.name, folded and checked; `name` is what a server_name extension, or another kind of hello, holds.
void describe_sni(std::string_view name, Describer& out);
/// The hello was there and cannot be read, or was not seen.
void hide_client_hello(Describer& out);

/// The version that the server chose; what 1.3 encrypts is hidden. `offered`: the client's hello was seen.
void describe_server_hello(const ServerHello& hello, bool offered_seen, Describer& out);
/// The server made no choice and will not: what was offered counts.
void close_version(std::optional<field::TlsVersion> offered, Describer& out);

void describe_certificate(Bytes der, Describer& out);
void hide_certificate(Describer& out);

}  // namespace weir::proto::tls
