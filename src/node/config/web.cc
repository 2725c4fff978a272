// Checks the keys of [web] that concern the tier, and what its files and the app mean for each other.
#include "node/config/web.h"

#include <array>
#include <format>

#include "http/uri.h"
#include "node/config/balancer.h"
#include "node/config/servers.h"
#include "node/config/web_files.h"

namespace node {

namespace {

using web::TryStep;

// What says something of files alone.
constexpr std::array<std::string_view, 9> kFileKeys{
    "index",
    "cache_control",
    "error_pages",
    "hidden",
    "sendfile",
    "precompressed",
    "charset",
    "mime_types",
    "cache"
};

void read_health_path(Section& section, std::string& target) {
    auto path = section.read_request_path("health");
    if (!path) {
        return;
    }
    std::string buffer(path->size(), '\0');
    bool is_normal = !path->contains('?') && http::normalize_path(*path, buffer).path == *path;
    if (!is_normal) {
        section.refuse("health", *section.find("health"), "a path in its normal form, without a query");
        return;
    }
    target = *path;
}

// There is no root. Everything goes to the app, so what says something of files is a mistake.
void refuse_file_keys(Section& web) {
    for (std::string_view key : kFileKeys) {
        if (const TomlValue* value = web.find(key)) {
            web.problems().add(
                value->position,
                std::format(
                    "{}: without a root there are no files: write root = \"public\", or leave this out",
                    web.dotted(key)
                )
            );
        }
    }
    const TomlValue* steps = web.find("try");
    if (steps != nullptr && web::parse_try_step(steps->items.front().text)->kind != TryStep::Kind::app) {
        web.problems().add(
            steps->items.front().position,
            std::format(
                "{}: without a root there are no files: write root = \"public\", or [\"@app\"]",
                web.dotted("try")
            )
        );
    }
}

}  // namespace

web::Fallback fallback_of(const Config& config) {
    return config.app ? web::Fallback::app : web::Fallback::not_found;
}

std::vector<TryStep> derived_steps(std::string_view root, web::Fallback fallback) {
    return root.empty() ? std::vector{TryStep{.kind = TryStep::Kind::app}} : web::default_try_files(fallback);
}

WebConfig read_web(Section& web, std::string_view base) {
    WebConfig config;
    config.site.try_files.clear();
    web.read_port("port", config.port);
    read_threads(web, config.threads);
    read_health_path(web, config.health_path);
    if (auto root = web.read_file_path("root", "a folder such as \"public\"", base)) {
        config.site.root = std::move(*root);
    }
    read_site_files(web, config.site);
    read_client_tables(web, config.timeouts, config.limits, config.access_log);
    web.finish();
    return config;
}

void settle_web(Section& root, Config& config) {
    web::Config& site = config.web->site;
    bool has_app = config.app.has_value();
    auto section = root.child("web");
    if (site.root.empty() && !has_app) {
        root.problems().add(
            section ? section->table().position : place_of_role(root, config, Role::web),
            "[web]: root is missing: write root = \"public\", or an [app] that answers every request"
        );
        return;
    }
    if (site.root.empty() && section) {
        refuse_file_keys(*section);
    }
    if (site.try_files.empty()) {
        site.try_files = derived_steps(site.root, fallback_of(config));
    } else if (site.try_files.back().kind == TryStep::Kind::app && !has_app) {
        root.problems().add(
            section->find("try")->items.back().position,
            "web.try: \"@app\" needs a server with the role \"app\", and there is none; write \"=404\""
        );
    }
}

}  // namespace node
