// HTML templates: compiled once, rendered with values from Json, escaping by default. What may stand in one
// is told at App::add_template.
#pragma once

#include <trilith/app.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace trilith::sdk {

// One step of a compiled template; sections are runs of steps.
struct TemplateStep {
    enum class Kind : uint8_t { text, value, raw, each, condition, partial };

    Kind kind = Kind::text;
    std::string text;        // literal text, the path of a value, or the partial's name
    uint32_t otherwise = 0;  // condition: where {{else}} begins, or its end
    uint32_t end = 0;        // each, condition: one past the section
    uint32_t offset = 0;     // in the source
};

struct CompiledTemplate {
    std::string name;
    std::string source;
    std::vector<TemplateStep> steps;
};

// invalid, with "NAME:LINE:COLUMN: sentence": a tag that is unknown, broken or not closed, sections over 32
// deep, a value where escaping cannot protect.
[[nodiscard]] core::Result<CompiledTemplate> compile_template(std::string_view name, std::string_view source);

class TemplateSet {
public:
    static constexpr size_t kOutputMax = 8 << 20;
    static constexpr uint32_t kPartialsDeepMax = 32;
    static constexpr uint32_t kStepsMax = 10'000'000;  // a page: loops in loops over long lists end here

    // As compile_template; conflict for a second one of the name.
    [[nodiscard]] core::Result<void> add(std::string_view name, std::string_view source);

    // Every partial that is named is there.
    [[nodiscard]] core::Result<void> check() const;

    // not_found; too_large at a bound.
    [[nodiscard]] core::Result<std::string> render(std::string_view name, const Json& values) const;

private:
    std::map<std::string, CompiledTemplate, std::less<>> templates_;
};

// Appends `text` for an element's content or an attribute's quoted value (OWASP's five: & < > " ').
void append_html(std::string& target, std::string_view text);

}  // namespace trilith::sdk
