#include "web/multipart.h"

#include <format>
#include <iterator>

#include "core/panic.h"

namespace web {

std::string make_boundary(core::Random& random) {
    return std::format("{:016x}{:016x}", random.next(), random.next());
}

uint64_t describe_multipart(const Multipart& multipart, http::LocalAnswer& answer) {
    using Kind = http::BodyPart::Kind;
    ASSERT(answer.made_body.empty() && answer.parts.empty());
    std::string& heads = answer.made_body;
    uint64_t length = 0;
    size_t described = 0;
    const auto describe_head = [&] {
        answer.parts.push_back({.kind = Kind::made, .offset = described, .length = heads.size() - described});
        length += heads.size() - described;
        described = heads.size();
    };
    for (const ByteRange& range : multipart.ranges) {
        std::format_to(
            std::back_inserter(heads),
            "\r\n--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
            multipart.boundary,
            multipart.content_type,
            format_content_range(range, multipart.size)
        );
        describe_head();
        answer.parts.push_back({.kind = multipart.source, .offset = range.first, .length = range.length});
        length += range.length;
    }
    std::format_to(std::back_inserter(heads), "\r\n--{}--\r\n", multipart.boundary);
    describe_head();
    return length;
}

}  // namespace web
