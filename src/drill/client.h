// One client of the site: an HTTP/1.1 connection that is kept, cookies, and never a second try.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "drill/form_text.h"
#include "drill/sample.h"
#include "http/head.h"
#include "http/method.h"
#include "net/address.h"
#include "net/socket.h"
#include "runtime/task.h"

namespace drill {

// What the clients of one reactor share; outlives them.
struct ClientWorld {
    runtime::Reactor& reactor;
    net::SharedReadBuffer& shared;
    http::FieldTable& fields;
    net::Address address;  // of the site
    std::string host;      // the Host field
};

enum class Body : uint8_t { dropped, kept };

struct ClientRequest {
    http::Method method = http::Method::get;
    std::string_view path;  // lives until the answer
    std::string body{};
    std::string_view content_type{};
    Body wanted = Body::dropped;  // of the answer
};

struct ClientAnswer {
    Outcome outcome = Outcome::good;
    uint16_t status = 0;  // 0: none came
    std::string body{};   // where it is wanted: its first kBodyBytesMax
};

class Client {
public:
    static constexpr size_t kBodyBytesMax = 256 << 10;

    explicit Client(ClientWorld& world) : world_(world) {}

    // Sends the request once, over the connection that it has or a new one, and reads the whole answer. An
    // answer of 400 and more is Outcome::status.
    [[nodiscard]] runtime::Task<ClientAnswer> ask(ClientRequest request, core::Instant deadline);

private:
    [[nodiscard]] runtime::Task<ClientAnswer> connect(core::Instant deadline);
    [[nodiscard]] std::string text_of(const ClientRequest& request) const;
    [[nodiscard]] runtime::Task<ClientAnswer> read_answer(
        const ClientRequest& request,
        core::Instant deadline
    );
    [[nodiscard]] runtime::Task<ClientAnswer> read_body(
        net::ReadBuffer& buffer,
        http::Framing framing,
        Body wanted,
        core::Instant deadline
    );
    void take_cookies(std::string_view head);

    ClientWorld& world_;
    std::optional<net::Socket> socket_;
    CookieJar cookies_;
};

}  // namespace drill
