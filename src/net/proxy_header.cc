#include "net/proxy_header.h"

#include <string_view>

namespace net {

namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr char kVersionAndCommand = 0x21;
constexpr char kTcp4 = 0x11;
constexpr char kTcp6 = 0x21;
constexpr char kUnixStream = 0x31;
constexpr size_t kUnixPathsSize = 216;

void append_u16(std::string& target, size_t value) {
    target.push_back(static_cast<char>(value >> 8));
    target.push_back(static_cast<char>(value & 0xFF));
}

// Of the first `size` bytes of the address.
void append_host(std::string& target, const Address& address, size_t size) {
    target.append(reinterpret_cast<const char*>(address.bytes().data()), size);
}

}  // namespace

std::string proxy_header(const Address& client, const Address& target) {
    std::string header(kSignature);
    header.push_back(kVersionAndCommand);
    if (client.family() == AF_UNIX) {
        header.push_back(kUnixStream);
        append_u16(header, kUnixPathsSize);
        header.append(kUnixPathsSize, '\0');
        return header;
    }
    bool is_v6 = client.family() == AF_INET6;
    size_t host_size = is_v6 ? 16 : 4;
    Address to = target.family() == client.family() ? target : Address();
    header.push_back(is_v6 ? kTcp6 : kTcp4);
    append_u16(header, 2 * (host_size + 2));
    append_host(header, client, host_size);
    append_host(header, to, host_size);
    append_u16(header, client.port());
    append_u16(header, to.port());
    return header;
}

}  // namespace net
