#include "node/verbs/check_command.h"

#include <unistd.h>

#include <format>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_text.h"
#include "node/config/explain.h"
#include "node/config/file.h"
#include "node/serve/site_places.h"
#include "node/serve/user_rule.h"

namespace node {

namespace {

using Problem = ConfigError;

std::string problems_json(const std::vector<Problem>& problems) {
    std::string text;
    for (const Problem& problem : problems) {
        text += text.empty() ? "{\"file\":" : ",{\"file\":";
        core::append_json_string(text, problem.file);
        text += std::format(",\"line\":{},\"column\":{},\"message\":", problem.line, problem.column);
        core::append_json_string(text, problem.message);
        text += '}';
    }
    return "{\"valid\":false,\"errors\":[" + text + "]}\n";
}

// What is wrong beyond the file: the place where the site would keep its sockets.
std::vector<Problem> place_problems(
    const Config& config,
    const CheckOptions& options,
    const Environment& environment
) {
    auto paths = site_paths(options.directories, environment, config.site);
    if (!paths) {
        return {};  // where the state lies is a matter of the user who serves
    }
    std::vector<Problem> problems;
    for (const ServerConfig& server : config.servers) {
        if (auto fits = check_socket_path(*paths, server.name); !fits) {
            problems.push_back({.file = options.file, .message = fits.error().context()});
        }
    }
    return problems;
}

// What the servers on this machine would find, by the rights that they will have; by ours where we are not
// root and cannot try theirs.
core::Result<PlaceFindings> local_findings(
    const Config& config,
    const CheckOptions& options,
    const Console& console
) {
    RoleSet roles;
    for (const ServerConfig& server : config.servers) {
        if (is_of_this_machine(console.os, server)) {
            roles.add(server.roles);
        }
    }
    auto users = find_users(config);
    if (!users && console.environment.user == 0) {
        return core::fail(std::move(users).error());
    }
    PlaceFindings found = look_at_places(config, options.file, roles, users.value_or(Users{}));
    if (!users) {
        // Who starts the servers is another, perhaps on another machine.
        found.warnings.push_back({.file = options.file, .message = users.error().context()});
    }
    return found;
}

int report(const std::vector<Problem>& problems, const CheckOptions& options, Console& console) {
    for (const Problem& problem : problems) {
        console.err(problem.to_string() + "\n");
    }
    if (options.format == OutputFormat::json) {
        console.out(problems_json(problems));
    }
    return 2;
}

std::string summary(const Config& config, const CheckOptions& options) {
    std::string text;
    if (options.format == OutputFormat::json) {
        text = "{\"valid\":true,\"site\":";
        core::append_json_string(text, config.site);
        return text + ",\"errors\":[]}\n";
    }
    size_t backends = 0;
    for (const upstream::PoolConfig& pool : config.balancer.pools) {
        backends += pool.backends.size();
    }
    auto counted = [](size_t number, std::string_view thing) {
        return std::format("{} {}{}", number, thing, number == 1 ? "" : "s");
    };
    return std::format(
        "{}: good: site {}, {}, {}, {}, {}\n",
        options.file,
        config.site,
        counted(config.servers.size(), "server"),
        counted(config.balancer.pools.size(), "pool"),
        counted(backends, "backend"),
        counted(config.balancer.routes.size(), "route")
    );
}

}  // namespace

int check(const CheckOptions& options, Console& console) {
    auto config = load_config(options.file);
    if (!config) {
        return report(config.error(), options, console);
    }
    if (auto problems = place_problems(*config, options, console.environment); !problems.empty()) {
        return report(problems, options, console);
    }
    auto found = local_findings(*config, options, console);
    if (!found) {
        return report({{.file = options.file, .message = found.error().context()}}, options, console);
    }
    if (!found->problems.empty()) {
        return report(found->problems, options, console);
    }
    for (ConfigError& warning : found->warnings) {
        warning.message.insert(0, "warning: ");
        console.err(warning.to_string() + "\n");
    }
    if (!options.is_explained) {
        console.out(summary(*config, options));
    } else {
        console.out(options.format == OutputFormat::json ? explain_json(*config) : explain(*config));
    }
    return 0;
}

}  // namespace node
