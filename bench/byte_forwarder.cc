// The floor of what stands between a client and a server: passes bytes on and looks at none of them.
//
//     bench_byte_forwarder PORT HOST PORT [SECONDS]
//
// One client at a time on 127.0.0.1:PORT, one connection to HOST:PORT for it, one thread that sleeps in poll:
// what it adds to an answer's time is two receives, two sends and two wakeups, which nobody who is in between
// can leave out. It ends after SECONDS (default 3600) even if nobody ends it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

using Buffer = std::array<char, 64 << 10>;

template <typename Number>
bool read_number(const char* text, Number& number) {
    std::string_view digits(text);
    auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return status == std::errc{} && end == digits.data() + digits.size();
}

void send_at_once(int socket) {
    int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// False: one of the two has ended.
bool pass_on(int from, int to, Buffer& buffer) {
    ssize_t size = recv(from, buffer.data(), buffer.size(), 0);
    for (ssize_t sent = 0; sent < size;) {
        ssize_t part = send(to, buffer.data() + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
        if (part <= 0) {
            return false;
        }
        sent += part;
    }
    return size > 0;
}

void forward(int client, int server, Buffer& buffer) {
    std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    while (poll(ends.data(), ends.size(), -1) > 0) {
        for (size_t end = 0; end < ends.size(); ++end) {
            if (ends[end].revents != 0 && !pass_on(ends[end].fd, ends[1 - end].fd, buffer)) {
                return;
            }
        }
    }
}

sockaddr_in address_of(in_addr host, uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr = host;
    address.sin_port = htons(port);
    return address;
}

int serve(uint16_t port, const sockaddr_in& server_address) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in own = address_of({.s_addr = htonl(INADDR_LOOPBACK)}, port);
    if (bind(listener, reinterpret_cast<sockaddr*>(&own), sizeof own) < 0 || listen(listener, 16) < 0) {
        std::perror("bench_byte_forwarder: listen");
        return 1;
    }
    static Buffer buffer;
    for (;;) {
        int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        send_at_once(client);
        send_at_once(server);
        if (connect(server, reinterpret_cast<const sockaddr*>(&server_address), sizeof server_address) == 0) {
            forward(client, server, buffer);
        }
        close(server);
        close(client);
    }
}

}  // namespace

int main(int count, char** words) {
    uint16_t port = 0;
    uint16_t server_port = 0;
    unsigned seconds = 3600;
    in_addr host{};
    if (count < 4 || !read_number(words[1], port) || inet_pton(AF_INET, words[2], &host) != 1 ||
        !read_number(words[3], server_port) || (count > 4 && !read_number(words[4], seconds))) {
        std::fputs("usage: bench_byte_forwarder PORT HOST PORT [SECONDS]\n", stderr);
        return 2;
    }
    alarm(seconds);
    return serve(port, address_of(host, server_port));
}
