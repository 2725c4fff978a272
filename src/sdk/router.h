// Which handler a path means. Immutable once all is added; shared by all threads.
#pragma once

#include <trilith/app.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace trilith::sdk {

inline constexpr size_t kMethodCount = 7;

struct RouteMatch {
    detail::Handler* handler = nullptr;
    // The parameters' values as they stand in the path, still escaped; valid while the path is.
    std::array<std::string_view, detail::kParametersMax> values{};
    uint8_t count = 0;
    // Bits by Method of what the path has handlers for; 0: no pattern matches.
    uint8_t methods = 0;
};

class Router {
public:
    Router();
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;

    // invalid: a pattern that cannot be read or does not fit the handler; conflict: another handler is there
    // for just these paths and this method.
    [[nodiscard]] core::Result<void> add(
        Method method,
        std::string_view pattern,
        std::unique_ptr<detail::Handler> handler
    );

    // `path` is normal (http::normalize_path) and begins with "/". Visits each node of the tree at most once.
    [[nodiscard]] RouteMatch find(Method method, std::string_view path) const;

private:
    struct Node;
    struct Search;

    std::unique_ptr<Node> root_;
    std::vector<std::unique_ptr<detail::Handler>> handlers_;
};

}  // namespace trilith::sdk
