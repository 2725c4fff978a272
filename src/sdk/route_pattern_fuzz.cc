// Any bytes as a pattern: bounded, and a path made of its segments is found by it, and by no other.
#include <memory>

#include "core/panic.h"
#include "sdk/route_pattern.h"
#include "sdk/router.h"

namespace trilith::sdk {
namespace {

using detail::Started;

class Recorder final : public detail::Handler {
public:
    explicit Recorder(size_t count) : kinds_(count, detail::Kind::text) {}

    Started start(Request&, std::span<const std::string_view>, Response&, Task<Response>&) override {
        return Started::answered;
    }

    [[nodiscard]] std::span<const detail::Kind> kinds() const noexcept override { return kinds_; }

private:
    std::vector<detail::Kind> kinds_;
};

}  // namespace
}  // namespace trilith::sdk

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    using namespace trilith::sdk;
    std::string pattern(reinterpret_cast<const char*>(data), size);
    auto segments = read_pattern(pattern);
    if (!segments) {
        return 0;
    }
    std::string path;
    size_t count = 0;
    bool is_typed = false;
    for (const PatternSegment& segment : *segments) {
        bool is_literal = segment.kind == PatternSegment::Kind::literal;
        path += "/" + (is_literal ? segment.text : std::string("7"));
        count += is_literal ? 0 : 1;
        is_typed |= segment.is_integer;
    }
    Router router;
    auto added = router.add(trilith::Method::get, pattern, std::make_unique<Recorder>(count));
    ASSERT(added.has_value() == !is_typed);  // the recorder takes texts
    if (added) {
        RouteMatch match = router.find(trilith::Method::get, path);
        ASSERT(match.handler != nullptr && match.count == count);
        ASSERT(router.find(trilith::Method::post, path).handler == nullptr);
        ASSERT(!router.add(trilith::Method::get, pattern, std::make_unique<Recorder>(count)).has_value());
    }
    return 0;
}
