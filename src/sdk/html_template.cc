// Compiles templates. Rendering is in template_render.cc.
#include "sdk/html_template.h"

#include <algorithm>
#include <optional>

#include "http/text.h"

namespace trilith::sdk {

namespace {

constexpr size_t kSectionsDeepMax = 32;

std::string place_of(std::string_view name, std::string_view source, size_t offset) {
    std::string_view before = source.substr(0, offset);
    auto line = std::ranges::count(before, '\n') + 1;
    size_t column = offset - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    return std::string(name) + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

bool is_name(std::string_view text) {
    return text == "." || (!text.empty() && std::ranges::all_of(text, [](char byte) {
        return http::is_of(byte, http::kUnreservedByte) || byte == '/';
    }));
}

class Compiler {
public:
    Compiler(std::string_view name, std::string_view source) {
        made_ = {std::string(name), std::string(source), {}};
    }

    core::Result<CompiledTemplate> compile() {
        std::string_view source = made_.source;
        while (at_ < source.size()) {
            size_t open = std::min(source.find("{{", at_), source.size());
            take_text(source.substr(at_, open - at_));
            at_ = open;
            if (open < source.size()) {
                TRY_VOID(take_tag());
            }
        }
        if (!open_.empty()) {
            return fail(made_.steps[open_.back()].offset, "a section that is not closed");
        }
        return std::move(made_);
    }

private:
    using Kind = TemplateStep::Kind;

    std::unexpected<core::Error> fail(size_t offset, std::string_view sentence) const {
        return core::fail(
            core::ErrorKind::invalid,
            place_of(made_.name, made_.source, offset) + std::string(sentence)
        );
    }

    TemplateStep& push(Kind kind, std::string_view text) {
        return made_.steps.emplace_back(
            TemplateStep{.kind = kind, .text = std::string(text), .offset = static_cast<uint32_t>(at_)}
        );
    }

    void take_text(std::string_view text) {
        if (!text.empty()) {
            push(Kind::text, text);
        }
        for (size_t at = 0; at < text.size(); ++at) {
            follow(text.substr(at));
        }
    }

    // Where the text that stands so far has come to: into a tag, a quoted value in it, a script.
    void follow(std::string_view rest) {
        char byte = rest.front();
        if (quote_ != 0) {
            quote_ = byte == quote_ ? '\0' : quote_;
        } else if (is_in_tag_) {
            quote_ = byte == '"' || byte == '\'' ? byte : '\0';
            is_in_tag_ = byte != '>';
            is_code_ = !is_in_tag_ && opens_code_;
        } else if (byte == '<') {
            open_tag(rest.substr(1));
        }
    }

    // `name` follows a "<". Within a script only its own end is a tag.
    void open_tag(std::string_view name) {
        if (is_code_ && !begins_with_element(name, "/script") && !begins_with_element(name, "/style")) {
            return;
        }
        constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz/";
        is_in_tag_ = name.empty() || kLetters.contains(http::to_lower(name.front()));
        opens_code_ = begins_with_element(name, "script") || begins_with_element(name, "style");
        is_code_ = false;
    }

    static bool begins_with_element(std::string_view text, std::string_view element) {
        return text.size() >= element.size() &&
               http::equals_ignoring_case(text.substr(0, element.size()), element) &&
               (text.size() == element.size() || !http::is_of(text[element.size()], http::kTokenByte));
    }

    core::Result<void> take_tag() {
        std::string_view rest = std::string_view(made_.source).substr(at_);
        bool is_raw = rest.starts_with("{{{");
        std::string_view closing = is_raw ? "}}}" : "}}";
        size_t begin = is_raw ? 3 : 2;
        size_t end = rest.find(closing, begin);
        if (end == std::string_view::npos) {
            return fail(at_, "a tag that is not closed");
        }
        std::string_view tag = http::trim(rest.substr(begin, end - begin));
        TRY_VOID(is_raw ? take_value(Kind::raw, tag) : take_plain(tag));
        at_ += end + closing.size();
        return {};
    }

    core::Result<void> take_plain(std::string_view tag) {
        if (tag.starts_with('!')) {
            return {};
        }
        if (tag.starts_with('#')) {
            return open_section(tag.substr(1));
        }
        if (tag.starts_with('/')) {
            return close_section(tag.substr(1));
        }
        if (tag == "else") {
            return take_else();
        }
        if (tag.starts_with('>')) {
            std::string_view name = http::trim(tag.substr(1));
            if (!is_name(name)) {
                return fail(at_, "a partial's name must be letters, digits, and -._~/");
            }
            push(Kind::partial, name);
            return {};
        }
        return take_value(Kind::value, tag);
    }

    core::Result<void> take_value(Kind kind, std::string_view path) {
        if (!is_name(path)) {
            return fail(at_, "a value's name must be letters, digits, and -._~/");
        }
        if (kind == Kind::value && is_code_) {
            return fail(at_, "a value in <script> or <style>, where escaping HTML does not protect");
        }
        if (kind == Kind::value && is_in_tag_ && quote_ == 0) {
            return fail(at_, "a value in a tag outside quotes: write attribute=\"{{name}}\"");
        }
        push(kind, path);
        return {};
    }

    core::Result<void> open_section(std::string_view tag) {
        size_t space = std::min(tag.find(' '), tag.size());
        std::string_view word = tag.substr(0, space);
        std::string_view path = http::trim(tag.substr(space));
        if ((word != "each" && word != "if") || !is_name(path)) {
            return fail(at_, "a section is {{#each name}} or {{#if name}}");
        }
        if (open_.size() == kSectionsDeepMax) {
            return fail(at_, "more than 32 sections in each other");
        }
        open_.push_back(made_.steps.size());
        push(word == "each" ? Kind::each : Kind::condition, path);
        return {};
    }

    core::Result<void> close_section(std::string_view word) {
        if (open_.empty()) {
            return fail(at_, "the end of a section that is not open");
        }
        TemplateStep& section = made_.steps[open_.back()];
        if (word != (section.kind == Kind::each ? "each" : "if")) {
            return fail(at_, section.kind == Kind::each ? "expected {{/each}}" : "expected {{/if}}");
        }
        section.end = static_cast<uint32_t>(made_.steps.size());
        section.otherwise = section.otherwise == 0 ? section.end : section.otherwise;
        open_.pop_back();
        return {};
    }

    core::Result<void> take_else() {
        if (open_.empty() || made_.steps[open_.back()].kind != Kind::condition ||
            made_.steps[open_.back()].otherwise != 0) {
            return fail(at_, "{{else}} outside {{#if}}, or a second one");
        }
        made_.steps[open_.back()].otherwise = static_cast<uint32_t>(made_.steps.size());
        return {};
    }

    CompiledTemplate made_;
    size_t at_ = 0;
    std::vector<size_t> open_;  // sections, as indexes of steps
    bool is_in_tag_ = false;
    bool opens_code_ = false;  // the tag is <script> or <style>
    bool is_code_ = false;
    char quote_ = 0;
};

}  // namespace

core::Result<CompiledTemplate> compile_template(std::string_view name, std::string_view source) {
    if (!is_name(name)) {
        return core::fail(
            core::ErrorKind::invalid,
            "template \"" + std::string(name) + "\": a name is letters, digits, and -._~/"
        );
    }
    if (source.size() > UINT32_MAX / 2) {
        return core::fail(core::ErrorKind::too_large, std::string(name) + ": a template over 2 GiB");
    }
    return Compiler(name, source).compile();
}

core::Result<void> TemplateSet::add(std::string_view name, std::string_view source) {
    TRY(CompiledTemplate made, compile_template(name, source));
    if (!templates_.emplace(std::string(name), std::move(made)).second) {
        return core::fail(core::ErrorKind::conflict, "two templates are named " + std::string(name));
    }
    return {};
}

core::Result<void> TemplateSet::check() const {
    for (const auto& [name, made] : templates_) {
        for (const TemplateStep& step : made.steps) {
            if (step.kind == TemplateStep::Kind::partial && !templates_.contains(step.text)) {
                return core::fail(
                    core::ErrorKind::not_found,
                    place_of(name, made.source, step.offset) + "no template is named " + step.text
                );
            }
        }
    }
    return {};
}

}  // namespace trilith::sdk
