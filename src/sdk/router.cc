#include "sdk/router.h"

#include <algorithm>
#include <string>
#include <utility>

#include "sdk/route_pattern.h"

namespace trilith::sdk {

namespace {

constexpr size_t kKinds = std::to_underlying(detail::Kind::text) + 1;

size_t index_of(Method method) { return std::to_underlying(method); }

template <class T>
bool reads_as(std::string_view text) {
    T value{};
    return detail::read_value(text, value);
}

// Numbers are written without escapes: an escaped digit is normalised before.
bool fits(std::string_view text, detail::Kind kind) {
    switch (kind) {
        case detail::Kind::integer: return reads_as<int64_t>(text);
        case detail::Kind::natural: return reads_as<uint64_t>(text);
        case detail::Kind::number: return reads_as<double>(text);
        case detail::Kind::text: break;
    }
    return !text.empty();
}

using Handlers = std::array<detail::Handler*, kMethodCount>;

uint8_t methods_of(const Handlers& handlers) {
    uint8_t methods = 0;
    for (size_t at = 0; at < handlers.size(); ++at) {
        methods |= static_cast<uint8_t>(handlers[at] == nullptr ? 0U : 1U << at);
    }
    return methods;
}

}  // namespace

struct Router::Node {
    struct Literal {
        std::string text;
        std::unique_ptr<Node> node;
    };

    std::vector<Literal> literals;  // sorted by text
    std::array<std::unique_ptr<Node>, kKinds> parameters;
    Handlers here{};
    Handlers rest{};

    Node& literal(const std::string& text) {
        auto place = std::ranges::lower_bound(literals, text, {}, &Literal::text);
        if (place == literals.end() || place->text != text) {
            place = literals.insert(place, Literal{.text = text, .node = std::make_unique<Node>()});
        }
        return *place->node;
    }

    Node& parameter(detail::Kind kind) {
        auto& place = parameters[std::to_underlying(kind)];
        if (place == nullptr) {
            place = std::make_unique<Node>();
        }
        return *place;
    }

    [[nodiscard]] const Node* find_literal(std::string_view text) const {
        auto place = std::ranges::lower_bound(literals, text, {}, [](const Literal& literal) {
            return std::string_view(literal.text);
        });
        return place == literals.end() || place->text != text ? nullptr : place->node.get();
    }
};

// One look-up: goes down the tree, the more special branch first, and back where it ends without the method.
struct Router::Search {
    Method method;
    RouteMatch match{};

    bool take(const Handlers& handlers) {
        match.methods |= methods_of(handlers);
        match.handler = handlers[index_of(method)];
        if (match.handler == nullptr && method == Method::head) {
            match.handler = handlers[index_of(Method::get)];
        }
        return match.handler != nullptr;
    }

    // `path` begins with the slash before the next segment, or has ended.
    bool descend(const Node& node, std::string_view path) {
        if (path.empty()) {
            return take(node.here);
        }
        std::string_view segment = path.substr(1, path.find('/', 1) - 1);
        std::string_view rest = path.substr(1 + segment.size());
        const Node* literal = node.find_literal(segment);
        if (literal != nullptr && descend(*literal, rest)) {
            return true;
        }
        uint8_t mark = match.count;
        for (size_t kind = 0; kind < kKinds; ++kind) {
            const Node* parameter = node.parameters[kind].get();
            if (parameter == nullptr || !fits(segment, static_cast<detail::Kind>(kind))) {
                continue;
            }
            match.values[match.count++] = segment;
            if (descend(*parameter, rest)) {
                return true;
            }
            match.count = mark;
        }
        if (methods_of(node.rest) == 0 || !take(node.rest)) {
            return false;
        }
        match.values[match.count++] = path.substr(1);
        return true;
    }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

core::Result<void> Router::add(
    Method method,
    std::string_view pattern,
    std::unique_ptr<detail::Handler> handler
) {
    TRY(std::vector<PatternSegment> segments, read_pattern(pattern));
    std::span<const detail::Kind> kinds = handler->kinds();
    auto parameters = std::ranges::count_if(segments, [](const PatternSegment& segment) {
        return segment.kind != PatternSegment::Kind::literal;
    });
    if (static_cast<size_t>(parameters) != kinds.size()) {
        return core::fail(
            core::ErrorKind::invalid,
            "pattern \"" + std::string(pattern) + "\": the handler takes another number of values"
        );
    }
    Node* node = root_.get();
    Handlers* place = nullptr;
    size_t taken = 0;
    for (const PatternSegment& segment : segments) {
        if (segment.kind == PatternSegment::Kind::literal) {
            node = &node->literal(segment.text);
            continue;
        }
        detail::Kind kind = kinds[taken++];
        bool is_whole = kind == detail::Kind::integer || kind == detail::Kind::natural;
        bool is_rest = segment.kind == PatternSegment::Kind::rest;
        if ((segment.is_integer && !is_whole) || (is_rest && kind != detail::Kind::text)) {
            return core::fail(
                core::ErrorKind::invalid,
                "pattern \"" + std::string(pattern) + "\": the handler takes another type for " + segment.text
            );
        }
        if (is_rest) {
            place = &node->rest;
        } else {
            node = &node->parameter(kind);
        }
    }
    detail::Handler*& slot = (place == nullptr ? node->here : *place)[index_of(method)];
    if (slot != nullptr) {
        return core::fail(
            core::ErrorKind::conflict,
            "pattern \"" + std::string(pattern) + "\": another handler is there already"
        );
    }
    slot = handler.get();
    handlers_.push_back(std::move(handler));
    return {};
}

RouteMatch Router::find(Method method, std::string_view path) const {
    Search search{.method = method};
    search.descend(*root_, path);
    return search.match;
}

}  // namespace trilith::sdk
