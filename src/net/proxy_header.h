// The PROXY protocol's header, version 2: tells a server in front of everything else whose connection it is
// that another program makes (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt).
//
//   signature 12 | 0x21: version 2, PROXY | family and SOCK_STREAM | length u16 | source, target: addresses,
//   ports
#pragma once

#include <string>

#include "net/address.h"

namespace net {

// `target` is where the client was going; left blank where it is of another family than `client`. The path of
// a unix socket is left blank, too.
[[nodiscard]] std::string proxy_header(const Address& client, const Address& target);

}  // namespace net
