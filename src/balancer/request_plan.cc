#include "balancer/request_plan.h"

#include <algorithm>
#include <array>
#include <optional>

#include "balancer/request_upload.h"
#include "balancer/worker.h"
#include "http/chunked_writer.h"
#include "http/text.h"
#include "http/uri.h"

namespace balancer {

namespace {

constexpr Refusal kBodyTooLarge{413, "the request body is larger than balancer.limits.body allows"};
constexpr Refusal kNoRoute{404, "no route for this host and path", Following::served};

// For the log of a request that no backend gets: what the log tells of it, as it came.
void note_request(Exchange& exchange, const http::RequestHead& head, const char* base) {
    if (!exchange.snapshot.config.access_log.is_enabled) {
        return;
    }
    const http::FieldTable& fields = exchange.worker.request_fields();
    auto value_of = [&](http::FieldId id) {
        const http::Field* field = fields.find(id);
        return field == nullptr ? std::string_view{} : field->value.in(base);
    };
    std::string_view given_id = value_of(http::FieldId::x_request_id);
    std::array texts{
        head.method_text.in(base),
        head.target.in(base),
        head.host.in(base),
        value_of(http::FieldId::user_agent),
        value_of(http::FieldId::referer),
        is_request_id(given_id) ? given_id : exchange.worker.new_request_id(),
    };
    std::array slices{
        &exchange.written.method,
        &exchange.written.target,
        &exchange.written.host,
        &exchange.written.user_agent,
        &exchange.written.referer,
        &exchange.written.request_id,
    };
    size_t room = 0;
    for (std::string_view text : texts) {
        room += text.size();
    }
    exchange.request = exchange.worker.buffers().take(room);
    uint32_t size = 0;
    for (size_t at = 0; at < texts.size(); ++at) {
        std::ranges::copy(texts[at], exchange.request.data() + size);
        *slices[at] = {.offset = size, .length = static_cast<uint32_t>(texts[at].size())};
        size += slices[at]->length;
    }
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
                     : Routed{.refusal = kNoRoute, .match = {}, .path = {}};
    }
    http::PathResult normal = http::normalize_path(raw_path, exchange.worker.path_scratch());
    bool is_normal = normal.outcome != http::PathOutcome::refused;
    auto match = is_normal ? routes.match(host, normal.path) : routes.match_raw(host);
    if (!match) {
        return {
            .refusal = is_normal ? kNoRoute : Refusal{.status = 400, .reason = normal.reason},
            .match = {},
            .path = {},
        };
    }
    std::string_view sent = !match->is_raw     ? normal.path
                            : raw_path.empty() ? std::string_view("/")
                                               : raw_path;
    return {.refusal = {}, .match = *match, .path = sent};
}

// Asks the handler of the route, if there is one. True: it has answered or refused.
bool is_answered_here(
    Exchange& exchange,
    const Generation& generation,
    const http::RequestHead& head,
    const char* base,
    std::string_view path
) {
    size_t handler = exchange.snapshot.config.routes[exchange.route].handler;
    if (handler == kNoTarget) {
        return false;
    }
    exchange.handler = generation.handlers[handler].handler.get();
    LocalResult& result = exchange.local.emplace();
    result.verdict = exchange.handler->handle(
        {
            .method = head.method,
            .path = path,
            .query = head.query.in(base),
            .fields = exchange.worker.request_fields(),
            .base = base,
            .now = exchange.worker.now(),
        },
        result.answer
    );
    if (result.verdict.outcome == http::LocalOutcome::passed) {
        exchange.local.reset();
        return false;
    }
    return true;
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
    if (is_body_over_bound(exchange)) {
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

// A body that is here already and that nobody wants, so that the connection can go on.
void drop_body(Exchange& exchange) {
    http::BodyPiece piece = exchange.body.next(exchange.client.buffer);
    exchange.bytes_in = piece.data.size();
    exchange.client.buffer.consume(piece.consumed);
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
    if (refusal.status == 0) {
        exchange.route = routed.match.route;
        size_t pool = exchange.snapshot.config.routes[exchange.route].pool;
        exchange.pool = pool == kNoTarget ? nullptr : generation.pools[pool].get();
        bool is_answered = is_answered_here(exchange, generation, head, base, routed.path);
        refusal = !is_answered && exchange.pool == nullptr ? kNoRoute : refusal;
    }
    if (refusal.status != 0 || exchange.local) {
        note_request(exchange, head, base);
        exchange.client.buffer.consume(head_length);
        if (refusal.status == 0 || refusal.following == Following::served) {
            drop_body(exchange);
        }
        return refusal;
    }
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
