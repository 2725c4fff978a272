#include "node/config/drill.h"

#include <array>
#include <format>

namespace node {

using drill::FormConfig;
using drill::Objectives;

namespace {

using namespace std::chrono_literals;

constexpr size_t kRequestsMax = 1000;
constexpr size_t kFormsMax = 100;
constexpr size_t kFormBodyBytesMax = 32 << 10;
constexpr uint32_t kDrillRateMax = 10'000;
constexpr uint32_t kCountMax = 1'000'000;
constexpr std::string_view kExpectedForm = "a form such as { path = \"/users\", body = \"name=Ada\" }";
constexpr std::array<std::string_view, 4> kFormMethods{"POST", "PUT", "PATCH", "DELETE"};
constexpr std::array<http::Method, 4> kMethods{
    http::Method::post,
    http::Method::put,
    http::Method::patch,
    http::Method::delete_,
};

// The items under `key`, at most `most` of them, else none, which is reported.
std::span<const TomlValue> read_drill_items(
    Section& drill,
    std::string_view key,
    std::string_view like,
    size_t most
) {
    auto items = drill.read_list(key, like);
    if (items.size() > most) {
        drill.problems().add(
            items.front().position,
            std::format("{}: expected at most {}, found {}", drill.dotted(key), most, items.size())
        );
        return {};
    }
    return items;
}

void read_requests(Section& drill, std::vector<std::string>& requests) {
    constexpr std::string_view expected = "a path such as \"/healthz\"";
    std::string key = drill.dotted("requests");
    for (const TomlValue& item :
         read_drill_items(drill, "requests", "a list such as [\"/\"]", kRequestsMax)) {
        auto path = read_text(item, {key, expected}, drill.problems());
        if (path && !is_request_path(*path)) {
            drill.problems().add(
                item.position,
                std::format("{}: expected {}, found {}", key, expected, in_quotes(*path))
            );
        } else if (path) {
            requests.emplace_back(*path);
        }
    }
}

FormConfig read_form(Section& section) {
    FormConfig form;
    if (auto method = section.read_choice("method", kFormMethods)) {
        form.method = kMethods[*method];
    }
    if (auto path = section.read_request_path("path")) {
        form.path = *path;
    } else if (section.find("path") == nullptr) {
        section.problems().add(
            section.table().position,
            std::format("{}: path is missing; write {}", section.name().title, kExpectedForm)
        );
    }
    if (auto body = section.read_text("body", "a text such as \"name=Ada\"", kFormBodyBytesMax)) {
        form.body = *body;
    }
    if (auto type = section.read_text("content_type", "a type such as \"application/json\"", 200)) {
        form.content_type = *type;
    }
    if (auto token = section.read_text("token", "the name of a hidden field such as \"form_token\"", 200)) {
        form.token = *token;
    }
    if (auto page = section.read_request_path("page")) {
        form.page = *page;
        if (form.token.empty()) {
            section.problems().add(
                section.find("page")->position,
                std::format("{}: is loaded for a token only; write token, too", section.dotted("page"))
            );
        }
    }
    section.finish();
    return form;
}

void read_forms(Section& drill, std::vector<FormConfig>& forms) {
    std::string like = std::format("a list of forms such as [{}]", kExpectedForm.substr(7));
    for (const TomlValue& item : read_drill_items(drill, "forms", like, kFormsMax)) {
        if (item.kind != TomlValue::Kind::table) {
            drill.refuse("forms", item, kExpectedForm);
            continue;
        }
        Section section(item, {drill.dotted("forms"), "a form of [drill]"}, drill.problems());
        forms.push_back(read_form(section));
    }
}

void read_count(Section& section, std::string_view key, std::optional<uint32_t>& target) {
    uint32_t value = target.value_or(0);
    section.read(key, value, {0, kCountMax});
    if (section.find(key) != nullptr) {
        target = value;
    }
}

void read_bound(Section& section, std::string_view key, std::optional<core::Duration>& target) {
    core::Duration value = target.value_or(core::Duration::zero());
    section.read(key, value, {1ms, 1h});
    if (section.find(key) != nullptr) {
        target = value;
    }
}

std::string bound_literal(core::Duration duration) { return text_literal(core::format_duration(duration)); }

std::string list_literal(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const std::string& text : texts) {
        list += (list.size() == 1 ? "" : ", ") + text_literal(text);
    }
    return list + "]";
}

}  // namespace

drill::Config read_drill(Section& section) {
    drill::Config config;
    section.read("rate", config.rate, {1, kDrillRateMax});
    section.read("connections", config.connections, {1, 1000});
    section.read("statements", config.statements, {0, kDrillRateMax});
    section.read("reads", config.reads, {0, 100});
    read_requests(section, config.requests);
    read_forms(section, config.forms);
    section.read("timeout", config.timeout, {100ms, 1min});
    section.read("steady", config.steady, {0s, 10min});
    section.read("tail", config.tail, {0s, 10min});
    section.read("within", config.within, {1s, 10min});
    section.finish();
    return config;
}

Objectives read_objectives(Section& section) {
    Objectives objectives;
    read_count(section, "failed_requests", objectives.failed_requests);
    read_count(section, "cut_answers", objectives.cut_answers);
    read_count(section, "failed_forms", objectives.failed_forms);
    read_count(section, "lost_writes", objectives.lost_writes);
    read_count(section, "failed_reads", objectives.failed_reads);
    read_bound(section, "request_pause", objectives.request_pause);
    read_bound(section, "write_pause", objectives.write_pause);
    read_bound(section, "read_pause", objectives.read_pause);
    read_bound(section, "p99", objectives.p99);
    read_bound(section, "recovery", objectives.recovery);
    section.finish();
    return objectives;
}

std::vector<Setting> drill_settings(const drill::Config& config) {
    const drill::Config defaults;
    auto number = [](uint32_t value) { return std::to_string(value); };
    auto time = bound_literal;
    return {
        {"rate", number(config.rate), number(defaults.rate)},
        {"connections", number(config.connections), number(defaults.connections)},
        {"statements", number(config.statements), number(defaults.statements)},
        {"reads", number(config.reads), number(defaults.reads)},
        {"requests", list_literal(config.requests), list_literal(defaults.requests)},
        {"timeout", time(config.timeout), time(defaults.timeout)},
        {"steady", time(config.steady), time(defaults.steady)},
        {"tail", time(config.tail), time(defaults.tail)},
        {"within", time(config.within), time(defaults.within)},
    };
}

std::vector<Setting> objective_settings(const Objectives& objectives) {
    const Objectives defaults;
    auto count = [](std::optional<uint32_t> value) { return value ? std::to_string(*value) : ""; };
    auto time = [](std::optional<core::Duration> value) { return value ? bound_literal(*value) : ""; };
    return {
        {"failed_requests", count(objectives.failed_requests), count(defaults.failed_requests)},
        {"cut_answers", count(objectives.cut_answers), count(defaults.cut_answers)},
        {"failed_forms", count(objectives.failed_forms), count(defaults.failed_forms)},
        {"lost_writes", count(objectives.lost_writes), count(defaults.lost_writes)},
        {"failed_reads", count(objectives.failed_reads), count(defaults.failed_reads)},
        {"request_pause", time(objectives.request_pause), time(defaults.request_pause)},
        {"write_pause", time(objectives.write_pause), time(defaults.write_pause)},
        {"read_pause", time(objectives.read_pause), time(defaults.read_pause)},
        {"p99", time(objectives.p99), time(defaults.p99)},
        {"recovery", time(objectives.recovery), time(defaults.recovery)},
    };
}

std::vector<Setting> form_settings(const FormConfig& form) {
    const FormConfig defaults;
    auto text = [](const std::string& value) { return value.empty() ? "" : text_literal(value); };
    auto method = [](http::Method value) { return text_literal(http::method_name(value)); };
    std::vector<Setting> settings{
        {"method", method(form.method), method(defaults.method)},
        {"path", text(form.path), ""},
        {"body", text(form.body), ""},
        {"content_type", text(form.content_type), text(defaults.content_type)},
        {"token", text(form.token), ""},
        {"page", text(form.page), ""},
    };
    std::erase_if(settings, [](const Setting& setting) { return setting.value == setting.default_value; });
    return settings;
}

void compare_drills(const Config& before, const Config& after, Changes& changes) {
    compare_settings("drill", {drill_settings(before.drill), drill_settings(after.drill)}, changes);
    if (before.drill.forms != after.drill.forms) {
        auto count = [](const Config& config) {
            size_t forms = config.drill.forms.size();
            return std::format("{} form{}", forms, forms == 1 ? "" : "s");
        };
        bool is_same_count = before.drill.forms.size() == after.drill.forms.size();
        changes.push_back({"drill.forms", count(before), is_same_count ? "others" : count(after)});
    }
    compare_settings(
        "objectives",
        {objective_settings(before.objectives), objective_settings(after.objectives)},
        changes
    );
}

}  // namespace node
