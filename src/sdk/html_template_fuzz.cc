// Any bytes as a template: it is refused with its place, or renders, and no value of ours comes out unescaped
// but where three braces say so.
#include "core/panic.h"
#include "sdk/html_template.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    using trilith::Json;
    std::string source(reinterpret_cast<const char*>(data), size);
    trilith::sdk::TemplateSet templates;
    auto added = templates.add("t", source);
    if (!added) {
        ASSERT(added.error().context().starts_with("t:"));
        return 0;
    }
    static const Json values{
        {"a", "<evil\"'&>"},
        {"l", Json::array({Json{{"a", "<evil\"'&>"}}, "<evil\"'&>"})},
        {"o", Json{{"a", 1}}},
    };
    auto page = templates.render("t", values);
    if (page && !source.contains("{{{") && !source.contains("<evil")) {
        ASSERT(!page->contains("<evil"));
    }
    return 0;
}
