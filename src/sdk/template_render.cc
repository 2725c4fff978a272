// Renders compiled templates.
#include <algorithm>

#include "sdk/html_template.h"

namespace trilith::sdk {

namespace {

bool is_true(const Json& value) {
    if (value.is_boolean()) {
        return value.boolean();
    }
    if (value.is_number()) {
        return value.number() < 0 || value.number() > 0;
    }
    return value.is_text() ? !value.text().empty() : value.size() > 0;
}

class Renderer {
public:
    using Templates = std::map<std::string, CompiledTemplate, std::less<>>;

    Renderer(const Templates& templates, const Json& values) : templates_(templates) {
        scopes_.push_back(&values);
    }

    core::Result<void> render(const CompiledTemplate& page, size_t at, size_t end) {
        while (at < end) {
            const TemplateStep& step = page.steps[at];
            if (++steps_ > TemplateSet::kStepsMax) {
                return core::fail(
                    core::ErrorKind::too_large,
                    page.name + ": a page of more than 10,000,000 steps"
                );
            }
            TRY_VOID(take(page, step, at));
            if (output_.size() > TemplateSet::kOutputMax) {
                return core::fail(core::ErrorKind::too_large, page.name + ": a page of more than 8 MiB");
            }
            bool is_section =
                step.kind == TemplateStep::Kind::each || step.kind == TemplateStep::Kind::condition;
            at = is_section ? step.end : at + 1;
        }
        return {};
    }

    [[nodiscard]] std::string take_output() { return std::move(output_); }

private:
    core::Result<void> take(const CompiledTemplate& page, const TemplateStep& step, size_t at) {
        switch (step.kind) {
            case TemplateStep::Kind::text: output_ += step.text; return {};
            case TemplateStep::Kind::value:
            case TemplateStep::Kind::raw: append(find(step.text), step.kind); return {};
            case TemplateStep::Kind::each: return repeat(page, step, at);
            case TemplateStep::Kind::condition:
                return is_true(find(step.text)) ? render(page, at + 1, step.otherwise)
                                                : render(page, step.otherwise, step.end);
            case TemplateStep::Kind::partial: break;
        }
        return include(step);
    }

    core::Result<void> repeat(const CompiledTemplate& page, const TemplateStep& step, size_t at) {
        for (const Json& item : find(step.text).items()) {
            scopes_.push_back(&item);
            core::Result<void> result = render(page, at + 1, step.end);
            scopes_.pop_back();
            TRY_VOID(std::move(result));
        }
        return {};
    }

    core::Result<void> include(const TemplateStep& step) {
        auto found = templates_.find(step.text);
        if (found == templates_.end()) {
            return core::fail(core::ErrorKind::not_found, "no template is named " + step.text);
        }
        if (++partials_deep_ > TemplateSet::kPartialsDeepMax) {
            return core::fail(
                core::ErrorKind::too_large,
                step.text + ": more than 32 partials in each other"
            );
        }
        TRY_VOID(render(found->second, 0, found->second.steps.size()));
        --partials_deep_;
        return {};
    }

    // The innermost scope that has a member of the path's first name decides; the rest is looked up in that.
    [[nodiscard]] const Json& find(std::string_view path) const {
        if (path == ".") {
            return *scopes_.back();
        }
        std::string_view name = path.substr(0, path.find('.'));
        for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
            if (std::ranges::contains((*scope)->members(), name, &Json::Member::name)) {
                const Json* value = &(**scope)[name];
                for (path.remove_prefix(name.size()); !path.empty(); path.remove_prefix(name.size())) {
                    path.remove_prefix(1);
                    name = path.substr(0, path.find('.'));
                    value = &(*value)[name];
                }
                return *value;
            }
        }
        return scopes_.back()->at(SIZE_MAX);  // null
    }

    void append(const Json& value, TemplateStep::Kind kind) {
        if (value.is_null()) {
            return;
        }
        std::string made;
        std::string_view text = value.text();
        if (!value.is_text()) {
            made = value.to_string();
            text = made;
        }
        if (kind == TemplateStep::Kind::raw) {
            output_ += text;
        } else {
            append_html(output_, text);
        }
    }

    const Templates& templates_;
    std::vector<const Json*> scopes_;
    std::string output_;
    uint32_t partials_deep_ = 0;
    uint32_t steps_ = 0;
};

}  // namespace

void append_html(std::string& target, std::string_view text) {
    while (!text.empty()) {
        size_t plain = std::min(text.find_first_of("&<>\"'"), text.size());
        target += text.substr(0, plain);
        if (plain == text.size()) {
            return;
        }
        switch (text[plain]) {
            case '&': target += "&amp;"; break;
            case '<': target += "&lt;"; break;
            case '>': target += "&gt;"; break;
            case '"': target += "&quot;"; break;
            default: target += "&#39;"; break;
        }
        text.remove_prefix(plain + 1);
    }
}

core::Result<std::string> TemplateSet::render(std::string_view name, const Json& values) const {
    auto found = templates_.find(name);
    if (found == templates_.end()) {
        return core::fail(core::ErrorKind::not_found, "no template is named " + std::string(name));
    }
    Renderer renderer(templates_, values);
    TRY_VOID(renderer.render(found->second, 0, found->second.steps.size()));
    return renderer.take_output();
}

}  // namespace trilith::sdk
