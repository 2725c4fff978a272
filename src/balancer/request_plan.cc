#include "balancer/request_plan.h"

#include <optional>

#include "balancer/worker.h"
#include "http/chunked_writer.h"
#include "http/text.h"
#include "http/uri.h"

namespace balancer {

namespace {

constexpr Refusal kBodyTooLarge{413, "the request body is larger than balancer.limits.body allows"};

// For the log of a refused request: its method, target and host, as they came.
void note_request(Exchange& exchange, const http::RequestHead& head, const char* base) {
    size_t room = size_t{head.method_text.length} + head.target.length + head.host.length;
    exchange.request = exchange.worker.buffers().take(room);
    uint32_t size = 0;
    auto keep = [&](http::Slice slice) {
        std::string_view text = slice.in(base);
        std::copy(text.begin(), text.end(), exchange.request.data() + size);
        size += slice.length;
        return http::Slice{.offset = size - slice.length, .length = slice.length};
    };
    exchange.written.method = keep(head.method_text);
    exchange.written.target = keep(head.target);
    exchange.written.host = keep(head.host);
}

struct Routed {
    Refusal refusal;
    RouteMatch match{};
    std::string_view path;  // what is sent
};

Routed route(Exchange& exchange, const http::RequestHead& head, const char* base) {
    const RouteTable& routes = exchange.snapshot.routes;
    std::array<char, http::kHostNameMax> lower;
    std::string_view host = head.host_name.in(base);
    if (head.host_case == http::HostCase::mixed) {
        host = http::lower_host_name(host, lower);
    }
    std::string_view raw_path = head.path.in(base);
    if (head.form == http::TargetForm::asterisk) {
        auto match = routes.match(host, "/");
        return match ? Routed{.refusal = {}, .match = *match, .path = "*"}
                     : Routed{.refusal = {404, "no route for this host and path"}, .match = {}, .path = {}};
    }
    http::PathResult normal = http::normalize_path(raw_path, exchange.worker.path_scratch());
    bool is_normal = normal.outcome != http::PathOutcome::refused;
    auto match = is_normal ? routes.match(host, normal.path) : routes.match_raw(host);
    if (!match) {
        return {
            .refusal =
                is_normal ? Refusal{404, "no route for this host and path"} : Refusal{400, normal.reason},
            .match = {},
            .path = {},
        };
    }
    std::string_view sent = !match->is_raw     ? normal.path
                            : raw_path.empty() ? std::string_view("/")
                                               : raw_path;
    return {.refusal = {}, .match = *match, .path = sent};
}

upstream::ConnectionPool* pool_of(const Exchange& exchange, const Generation& generation) {
    return generation.pools[exchange.snapshot.config.routes[exchange.route].pool].get();
}

// Appends to the bytes for the backend, in larger memory where they do not fit.
void append(Exchange& exchange, std::string_view text) {
    if (exchange.request.size() - exchange.request_size < text.size()) {
        net::Buffer larger = exchange.worker.buffers().take(exchange.request_size + text.size());
        std::string_view written = exchange.request_bytes();
        std::copy(written.begin(), written.end(), larger.data());
        exchange.request = std::move(larger);
    }
    std::copy(text.begin(), text.end(), exchange.request.data() + exchange.request_size);
    exchange.request_size += static_cast<uint32_t>(text.size());
}

// A small body that is here already is kept behind the head: one send, and it can be sent again. Of a chunked
// body what is here is read in any case, so that nothing reaches a backend of a request whose framing is
// broken from the start.
Refusal hold_body(Exchange& exchange) {
    constexpr uint64_t kHeldBodyMax = 16 << 10;
    net::ReadBuffer& buffer = exchange.client.buffer;
    bool is_chunked = exchange.body.kind() == http::FramingKind::chunked;
    bool is_small = exchange.body.kind() == http::FramingKind::length &&
                    exchange.body.remaining() <= std::min<uint64_t>(kHeldBodyMax, buffer.bytes().size());
    if (!is_chunked && !is_small) {
        return {};
    }
    http::BodyPiece piece = exchange.body.next(buffer);
    if (!piece.refused.empty()) {
        return {400, piece.refused};
    }
    exchange.bytes_in = piece.data.size();
    uint64_t body_max = exchange.snapshot.config.limits.body;
    if (body_max != 0 && exchange.bytes_in > body_max) {
        return kBodyTooLarge;
    }
    http::ChunkSizeLine size_line;
    if (is_chunked && !piece.data.empty()) {
        append(exchange, http::write_chunk_size(piece.data.size(), size_line));
    }
    append(exchange, piece.data);
    if (is_chunked) {
        append(exchange, http::chunk_tail(exchange.body, piece.data));
    }
    buffer.consume(piece.consumed);
    return {};
}

// An upgrade to HTTP/2 would carry requests past every rule of ours (h2c smuggling): it is not offered to the
// backend, which then answers in HTTP/1.1 as it may (RFC 9110 section 7.8).
std::string_view passed_upgrade(std::string_view offered) {
    std::string_view list = offered;
    while (!list.empty()) {
        std::string_view protocol = http::take_list_element(list);
        if (http::equals_ignoring_case(protocol.substr(0, protocol.find('/')), "h2c")) {
            return {};
        }
    }
    return offered;
}

Refusal refuse_early(const Exchange& exchange, const http::RequestHead& head, const char* base) {
    // RFC 9110 section 7.4: what was meant for a secured connection is not answered on a plain one.
    if (head.form == http::TargetForm::absolute &&
        http::equals_ignoring_case(head.target.in(base).substr(0, 6), "https:")) {
        return {421, "https is not served on this listener"};
    }
    uint64_t body_max = exchange.snapshot.config.limits.body;
    if (head.method == http::Method::connect) {
        return {405, "CONNECT is not offered here: this is not a forward proxy"};
    }
    if (body_max != 0 && head.framing.kind == http::FramingKind::length && head.framing.length > body_max) {
        return kBodyTooLarge;
    }
    return {};
}

}  // namespace

Refusal plan_request(Exchange& exchange, const Generation& generation, uint32_t head_length) {
    const http::RequestHead& head = exchange.worker.request_head();
    const char* base = exchange.client.buffer.bytes().data();
    exchange.method = head.method;
    exchange.version_minor = head.version_minor;
    exchange.client_wish = head.keep_alive;
    // With a body on its way the switch has no clear moment: the upgrade is not offered, as the backend might
    // refuse it too.
    bool has_body = head.framing.kind != http::FramingKind::none;
    std::string_view upgrade = has_body ? std::string_view{} : passed_upgrade(head.upgrade.in(base));
    exchange.is_upgrade = !upgrade.empty();
    exchange.expects_continue = head.expects_continue;
    exchange.body = http::BodyReader(head.framing);
    Refusal refusal = refuse_early(exchange, head, base);
    Routed routed;
    if (refusal.status == 0) {
        routed = route(exchange, head, base);
        refusal = routed.refusal;
    }
    if (refusal.status != 0) {
        note_request(exchange, head, base);
        exchange.client.buffer.consume(head_length);
        return refusal;
    }
    exchange.route = routed.match.route;
    exchange.pool = pool_of(exchange, generation);
    exchange.request = exchange.worker.buffers().take(request_head_room(head_length));
    exchange.written = write_request_head(
        {
            .base = base,
            .head = head,
            .fields = exchange.worker.request_fields(),
            .path = routed.path,
            .client_address = exchange.client.address(),
            .trust = exchange.client.trust,
            .own_host = "localhost",
            .upgrade = upgrade,
            .new_request_id = exchange.worker.new_request_id(),
        },
        exchange.request.span()
    );
    exchange.request_size = exchange.written.size;
    exchange.client.buffer.consume(head_length);
    return hold_body(exchange);
}

}  // namespace balancer
