// Checks the keys of [web] that say how files are found and sent.
#include "node/config/web_files.h"

#include <algorithm>
#include <array>
#include <format>

#include "http/text.h"
#include "node/config/names.h"

namespace node {

namespace {

using namespace std::chrono_literals;
using web::TryStep;

constexpr size_t kStepsMax = 16;
constexpr size_t kIndexMax = 16;
constexpr size_t kRulesMax = 1000;
constexpr size_t kFileNameBytesMax = 255;
constexpr size_t kExtensionBytesMax = 32;
constexpr std::array<std::string_view, web::kEncodingCount> kEncodings{"br", "zstd", "gzip"};

// The list under `key`; empty where it is missing, or has too many items, which is reported.
std::span<const TomlValue> read_items(Section& section, const TextRule& list, Bounds<size_t> counts) {
    auto items = section.read_list(list.key, list.expected);
    const TomlValue* value = section.find(list.key);
    bool is_list = value != nullptr && value->kind == TomlValue::Kind::list;
    if (!is_list || (items.size() >= counts.least && items.size() <= counts.most)) {
        return items;
    }
    section.problems().add(
        value->position,
        std::format(
            "{}: expected {} to {}, found {}",
            section.dotted(list.key),
            counts.least,
            counts.most,
            items.size()
        )
    );
    return {};
}

void read_index(Section& section, std::vector<std::string>& index) {
    constexpr std::string_view expected = "the name of a file such as \"index.html\"";
    std::string key = section.dotted("index");
    if (section.find("index") == nullptr) {
        return;
    }
    index.clear();
    auto items = read_items(section, {"index", "a list such as [\"index.html\"]"}, {0, kIndexMax});
    for (const TomlValue& item : items) {
        TextRule rule{key, expected, kFileNameBytesMax};
        auto name = read_text(item, rule, section.problems());
        if (name && (name->contains('/') || *name == "." || *name == "..")) {
            section.refuse(item, rule, ": it lies in the folder that is asked for");
        } else if (name) {
            index.emplace_back(*name);
        }
    }
}

bool is_last(const TryStep& step) {
    return step.kind == TryStep::Kind::status || step.kind == TryStep::Kind::app;
}

void read_try(Section& section, std::vector<TryStep>& steps) {
    constexpr std::string_view expected = "a list such as [\"{path}\", \"{path}/\", \"=404\"]";
    std::string key = section.dotted("try");
    for (const TomlValue& item : read_items(section, {"try", expected}, {1, kStepsMax})) {
        auto text = read_text(item, {key, "a text such as \"{path}\""}, section.problems());
        if (!text) {
            return;
        }
        auto step = web::parse_try_step(*text);
        if (!step) {
            section.problems().add(item.position, key + ": " + step.error().context());
            return;
        }
        if (!steps.empty() && is_last(steps.back())) {
            section.problems().add(
                item.position,
                std::format(
                    "{}: {} is never tried: {} before it answers every request",
                    key,
                    in_quotes(*text),
                    in_quotes(format_try_step(steps.back()))
                )
            );
            return;
        }
        steps.push_back(std::move(*step));
    }
}

// A value of a field that is sent as it stands.
bool is_field_value(std::string_view text) {
    return http::all_of(text, http::kValueByte) && !text.starts_with(' ') && !text.ends_with(' ');
}

void read_cache_control(Section& section, std::vector<web::CacheControlRule>& rules) {
    constexpr std::string_view expected = "a list such as [{ match = \"*.css\", value = \"max-age=3600\" }]";
    std::string key = section.dotted("cache_control");
    for (const TomlValue& item : read_items(section, {"cache_control", expected}, {0, kRulesMax})) {
        if (item.kind != TomlValue::Kind::table) {
            section
                .refuse("cache_control", item, "a rule such as { match = \"*.css\", value = \"no-cache\" }");
            continue;
        }
        Section rule(item, {key, "a rule of " + key}, section.problems());
        auto match = rule.read_text("match", "a pattern such as \"*.css\" or \"/assets/*\"");
        auto value = rule.read_text("value", "a value such as \"max-age=3600\"");
        rule.finish();
        for (std::string_view needed : {"match", "value"}) {
            if (rule.find(needed) == nullptr) {
                section.problems().add(item.position, std::format("a rule of {} needs a {}", key, needed));
            }
        }
        if (value && !is_field_value(*value)) {
            rule.refuse("value", *rule.find("value"), "a value without spaces around it");
        }
        if (match && std::ranges::contains(rules, *match, &web::CacheControlRule::match)) {
            section.problems().add(
                item.position,
                std::format("{}: an earlier rule matches {}", key, in_quotes(*match))
            );
        }
        rules.push_back({std::string(match.value_or("")), std::string(value.value_or(""))});
    }
}

void read_error_pages(Section& section, std::vector<web::ErrorPage>& pages) {
    auto table = section.child("error_pages");
    if (!table) {
        return;
    }
    constexpr std::string_view expected = "a file below the root such as \"/404.html\"";
    for (const TomlMember& member : table->table().members) {
        uint64_t status = 0;
        bool is_status = http::parse_decimal(member.key, status) && member.key.size() == 3 && status >= 400 &&
                         status <= 599;
        if (!is_status) {
            section.problems().add(
                member.position,
                std::format(
                    "{}: expected a status from 400 to 599, found {}",
                    table->name().title,
                    in_quotes(member.key)
                )
            );
        }
        std::string key = table->dotted(member.key);
        TextRule rule{key, expected};
        auto path = read_text(member.value, rule, section.problems());
        if (path && !web::is_file_path(*path)) {
            section.refuse(
                member.value,
                rule,
                path->starts_with('/') ? ": without empty, \".\" and \"..\" segments"
                                       : ": it begins with \"/\""
            );
        }
        pages.push_back({static_cast<uint16_t>(status), std::string(path.value_or(""))});
    }
}

void read_precompressed(Section& section, std::vector<web::Encoding>& encodings) {
    constexpr std::string_view expected = "\"br\" or \"zstd\" or \"gzip\"";
    if (section.find("precompressed") == nullptr) {
        return;
    }
    encodings.clear();
    std::string key = section.dotted("precompressed");
    for (const TomlValue& item : section.read_list("precompressed", "a list such as [\"br\", \"gzip\"]")) {
        auto text = read_text(item, {key, expected}, section.problems());
        if (!text) {
            continue;
        }
        auto at = std::ranges::find(kEncodings, *text);
        auto encoding = static_cast<web::Encoding>(at - kEncodings.begin());
        if (at == kEncodings.end()) {
            section.refuse("precompressed", item, expected);
        } else if (std::ranges::contains(encodings, encoding)) {
            section.problems().add(
                item.position,
                std::format("{}: {} is there twice", key, in_quotes(*text))
            );
        } else {
            encodings.push_back(encoding);
        }
    }
}

void read_charset(Section& section, std::string& charset) {
    const TomlValue* value = section.find("charset");
    if (value == nullptr) {
        return;
    }
    std::string key = section.dotted("charset");
    TextRule rule{.key = key, .expected = "a charset such as \"utf-8\"", .bytes_max = 64, .bytes_min = 0};
    auto text = read_text(*value, rule, section.problems());
    if (text && !http::all_of(*text, http::kTokenByte)) {
        section.refuse(*value, rule, "");
    } else if (text) {
        charset = *text;
    }
}

bool is_media_type(std::string_view text) {
    size_t slash = text.find('/');
    if (slash == std::string_view::npos || !is_field_value(text)) {
        return false;
    }
    std::string_view subtype = text.substr(slash + 1, text.find(';') - slash - 1);
    auto is_token = [](std::string_view part) {
        return !part.empty() && http::all_of(part, http::kTokenByte);
    };
    return is_token(text.substr(0, slash)) && is_token(http::trim(subtype));
}

void read_mime_types(Section& section, std::vector<web::MimeOverride>& types) {
    auto table = section.child("mime_types");
    if (!table) {
        return;
    }
    for (const TomlMember& member : table->table().members) {
        std::string extension(member.key.size(), '\0');
        std::ranges::transform(member.key, extension.begin(), http::to_lower);
        bool is_known = std::ranges::contains(types, extension, &web::MimeOverride::extension);
        bool is_good = is_name(extension, kExtensionBytesMax, "_-+~") && !extension.contains('.');
        if (is_known || !is_good) {
            section.problems().add(
                member.position,
                is_good ? std::format("{}: {} is there already", table->name().title, in_quotes(extension))
                        : std::format(
                              "{}: expected what stands behind the last dot of a name, such as log, found {}",
                              table->name().title,
                              in_quotes(member.key)
                          )
            );
        }
        std::string key = table->dotted(member.key);
        TextRule rule{key, "a type such as \"text/plain\""};
        auto type = read_text(member.value, rule, section.problems());
        if (type && !is_media_type(*type)) {
            section.refuse(member.value, rule, "");
        }
        types.push_back({std::move(extension), std::string(type.value_or(""))});
    }
}

void read_cache(Section& section, web::CacheConfig& cache) {
    section.read("entries", cache.entries_max, {10, 10'000'000});
    section.read_bytes("bytes", cache.bytes_max, {64ULL << 10, 64ULL << 30});
    section.read_bytes("memory", cache.memory_max, {0, 16ULL << 20});
    section.read("open_files", cache.open_files_max, {1, 1'000'000});
    section.read("valid", cache.valid, {0s, 1h});
    section.finish();
}

}  // namespace

std::string_view encoding_name(web::Encoding encoding) { return kEncodings[static_cast<size_t>(encoding)]; }

void read_site_files(Section& section, web::Config& site) {
    read_index(section, site.index);
    read_try(section, site.try_files);
    read_cache_control(section, site.cache_control);
    read_error_pages(section, site.error_pages);
    bool is_served = site.hidden == web::HiddenFiles::serve;
    section.read("sendfile", site.uses_sendfile);
    section.read("hidden", is_served);
    site.hidden = is_served ? web::HiddenFiles::serve : web::HiddenFiles::refuse;
    read_precompressed(section, site.precompressed);
    read_charset(section, site.charset);
    read_mime_types(section, site.mime_types);
    if (auto cache = section.child("cache")) {
        read_cache(*cache, site.cache);
    }
}

}  // namespace node
