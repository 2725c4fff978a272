#include "node/control/client.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <format>
#include <string_view>

#include "http/body_reader.h"
#include "http/response_reader.h"
#include "net/address.h"

namespace node {

using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;

namespace {

constexpr uint32_t kHeadBytesMax = 16 << 10;
constexpr uint32_t kFieldsMax = 100;
constexpr core::Duration kProbeTimeout = std::chrono::seconds(1);
// A unix socket whose queue of connections is full says so at once, and never when there is room again.
constexpr core::Duration kQueueFullPause = std::chrono::milliseconds(10);

Error not_running(int code, const std::string& path) {
    switch (code) {
        case ENOENT: return {ErrorKind::not_found, "it is not running: there is no control socket " + path};
        case ECONNREFUSED:
            return {ErrorKind::refused, "it is not running: a dead process left the control socket " + path};
        case EACCES:
        case EPERM:
            return {
                ErrorKind::permission,
                "the control socket " + path + " belongs to another user: run this as that user"
            };
        default: return Error::of_errno(code, path);
    }
}

// One connection to a control socket; every operation ends at the deadline.
class ControlConnection {
public:
    ControlConnection(runtime::Os& os, const std::string& path, core::Duration timeout)
        : os_(os), path_(path), timeout_(timeout), deadline_(os.now() + timeout) {}

    ControlConnection(const ControlConnection&) = delete;
    ControlConnection& operator=(const ControlConnection&) = delete;

    ~ControlConnection() {
        for (int fd : {socket_, poll_}) {
            if (fd >= 0) {
                os_.close(fd);
            }
        }
    }

    [[nodiscard]] Result<void> open() {
        TRY(net::Address address, net::Address::of_unix_path(path_));
        sockaddr_storage storage;
        socklen_t length = address.fill(storage);
        poll_ = os_.open_poll();
        socket_ = os_.open_socket(AF_UNIX);
        if (poll_ < 0 || socket_ < 0 || os_.watch(poll_, socket_, 0) < 0 ||
            os_.watch_writing(poll_, socket_, 0) < 0) {
            return fail(ErrorKind::exhausted, "no socket can be opened");
        }
        int status = os_.connect(socket_, reinterpret_cast<const sockaddr*>(&storage), length);
        while (status == -EAGAIN) {
            TRY_VOID(wait(kQueueFullPause));
            status = os_.connect(socket_, reinterpret_cast<const sockaddr*>(&storage), length);
        }
        return status < 0 ? Result<void>(fail(not_running(-status, path_))) : Result<void>();
    }

    [[nodiscard]] Result<void> send(std::string text) {
        std::span<char> rest(text);
        while (!rest.empty()) {
            iovec part{.iov_base = rest.data(), .iov_len = rest.size()};
            ssize_t sent = os_.send(socket_, std::span(&part, 1), 0);
            if (sent == -EAGAIN) {
                TRY_VOID(wait(core::Duration::max()));
                continue;
            }
            if (sent < 0) {
                return went_away();
            }
            rest = rest.subspan(static_cast<size_t>(sent));
        }
        return {};
    }

    // Appends what came to `buffer`; false at the end of the stream.
    [[nodiscard]] Result<bool> receive(net::ReadBuffer& buffer) {
        for (;;) {
            ssize_t received = os_.receive(socket_, buffer.prepare());
            buffer.commit(static_cast<size_t>(std::max<ssize_t>(received, 0)));
            if (received != -EAGAIN && received != -EINTR) {
                return received < 0 ? Result<bool>(went_away()) : Result<bool>(received > 0);
            }
            TRY_VOID(wait(core::Duration::max()));
        }
    }

    [[nodiscard]] std::unexpected<Error> went_away() const {
        return fail(ErrorKind::closed, "the server ended while it answered on " + path_);
    }

private:
    // Until something happened, `bound` is over, or the deadline is (an error).
    [[nodiscard]] Result<void> wait(core::Duration bound) {
        core::Duration left = deadline_ - os_.now();
        if (left <= core::Duration::zero()) {
            return fail(
                ErrorKind::timed_out,
                std::format("no answer on {} within {}", path_, core::format_duration(timeout_))
            );
        }
        std::array<runtime::PollEvent, 1> events;
        [[maybe_unused]] int count = os_.wait(poll_, events, std::min(left, bound));
        return {};
    }

    runtime::Os& os_;
    const std::string& path_;
    core::Duration timeout_;
    core::Instant deadline_;
    int poll_ = -1;
    int socket_ = -1;
};

std::string request_text(const ControlCall& order) {
    std::string_view method = http::method_name(order.method);
    std::string head =
        std::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method, order.path);
    if (order.method == http::Method::post) {
        head += std::format("Content-Type: application/json\r\nContent-Length: {}\r\n", order.body.size());
    }
    return head + "\r\n" + order.body;
}

std::unexpected<Error> no_http(std::string_view reason) {
    return fail(ErrorKind::invalid, std::format("the server's answer is not understood: {}", reason));
}

// Receives until the head is complete and takes it off the buffer.
Result<http::ResponseHead> read_head(
    ControlConnection& connection,
    net::ReadBuffer& buffer,
    http::Method method
) {
    http::FieldTable fields(kFieldsMax);
    http::HeadProgress progress;
    http::ResponseHead head;
    const http::HeadLimits limits{
        .uri_max = kHeadBytesMax,
        .head_max = kHeadBytesMax,
        .fields_max = kFieldsMax
    };
    for (;;) {
        TRY(bool has_more, connection.receive(buffer));
        std::string_view bytes = buffer.bytes().substr(0, kHeadBytesMax);
        http::HeadResult result = http::parse_response_head(bytes, limits, progress, fields, head, method);
        if (result.outcome == http::HeadOutcome::refused) {
            return no_http(result.reason);
        }
        if (result.outcome == http::HeadOutcome::complete) {
            buffer.consume(result.length);
            return head;
        }
        if (!has_more) {
            return connection.went_away();
        }
        if (buffer.bytes().size() >= kHeadBytesMax) {
            return no_http("its head is too long");
        }
    }
}

Result<std::string> read_body(ControlConnection& connection, net::ReadBuffer& buffer, http::Framing framing) {
    http::BodyReader reader(framing);
    std::string body;
    while (!reader.is_done()) {
        if (buffer.is_empty()) {
            TRY(bool has_more, connection.receive(buffer));
            if (!has_more && !reader.end_of_stream()) {
                return connection.went_away();
            }
        }
        http::BodyPiece piece = reader.next(buffer);
        if (!piece.refused.empty()) {
            return no_http(piece.refused);
        }
        body += piece.data;
        buffer.consume(piece.consumed);
        if (body.size() > kAnswerBytesMax) {
            return fail(
                ErrorKind::too_large,
                std::format("the server's answer has more than {}", core::format_byte_count(kAnswerBytesMax))
            );
        }
    }
    return body;
}

}  // namespace

Result<ControlAnswer> call(
    runtime::Os& os,
    const std::string& socket_path,
    const ControlCall& order,
    core::Duration timeout
) {
    ControlConnection connection(os, socket_path, timeout);
    TRY_VOID(connection.open());
    TRY_VOID(connection.send(request_text(order)));
    net::BufferPool pool;
    net::SharedReadBuffer shared(pool);
    net::ReadBuffer buffer(shared);
    TRY(http::ResponseHead head, read_head(connection, buffer, order.method));
    TRY(std::string body, read_body(connection, buffer, head.framing));
    return ControlAnswer{.status = head.status, .body = std::move(body)};
}

Result<void> probe(runtime::Os& os, const std::string& socket_path) {
    return ControlConnection(os, socket_path, kProbeTimeout).open();
}

}  // namespace node
