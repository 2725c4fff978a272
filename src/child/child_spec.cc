#include "child/child_spec.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <format>
#include <utility>

#include "child/exec_child.h"

namespace child {

using core::ErrorKind;
using core::fail;
using runtime::Account;

namespace {

constexpr std::string_view kCommandMark = "--";

// Those without a value of their own are left out of the command line.
struct NumberKey {
    std::string_view key;
    uint64_t ChildSpec::* number;
};

constexpr std::array kNumberKeys{
    NumberKey{"open_files", &ChildSpec::open_files},
    NumberKey{"processes", &ChildSpec::processes},
    NumberKey{"data_bytes", &ChildSpec::data_bytes},
};

struct TextKey {
    std::string_view key;
    std::string ChildSpec::* text;
};

constexpr std::array kTextKeys{
    TextKey{"name", &ChildSpec::name},
    TextKey{"directory", &ChildSpec::directory},
    TextKey{"group", &ChildSpec::group},
};

struct DescriptorKey {
    std::string_view key;
    int ChildSpec::* number;  // pid_t is int
};

constexpr std::array kDescriptorKeys{
    DescriptorKey{"supervisor", &ChildSpec::supervisor},
    DescriptorKey{"channel", &ChildSpec::channel},
    DescriptorKey{"listening", &ChildSpec::listening},
    DescriptorKey{"held", &ChildSpec::held},
    DescriptorKey{"open_directory", &ChildSpec::open_directory},
};

template <class Number>
bool read_number(std::string_view text, Number& number) {
    auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    return status == std::errc{} && end == text.data() + text.size();
}

// "uid:gid:name:home"; a home may hold colons, what stands before it may not.
bool read_account(std::string_view text, std::optional<Account>& user) {
    std::array<std::string_view, 3> parts;
    for (std::string_view& part : parts) {
        size_t colon = text.find(':');
        if (colon == std::string_view::npos) {
            return false;
        }
        part = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    Account account{.name = std::string(parts[2]), .home = std::string(text)};
    bool is_read = read_number(parts[0], account.uid) && read_number(parts[1], account.gid);
    user = std::move(account);
    return is_read;
}

bool read_word(std::string_view key, std::string_view value, ChildSpec& spec) {
    if (auto found = std::ranges::find(kTextKeys, key, &TextKey::key); found != kTextKeys.end()) {
        spec.*(found->text) = value;
        return true;
    }
    if (auto found = std::ranges::find(kNumberKeys, key, &NumberKey::key); found != kNumberKeys.end()) {
        return read_number(value, spec.*(found->number));
    }
    auto found = std::ranges::find(kDescriptorKeys, key, &DescriptorKey::key);
    if (found != kDescriptorKeys.end()) {
        return read_number(value, spec.*(found->number));
    }
    return key == "user" && read_account(value, spec.user);
}

std::string_view step_name(StartStep step) {
    switch (step) {
        case StartStep::fork: return "cannot make a process";
        case StartStep::session: return "cannot begin a session";
        case StartStep::group: return "cannot enter its cgroup";
        case StartStep::limits: return "limits: cannot set";
        case StartStep::descriptors: return "cannot hand down its descriptors";
        case StartStep::user: return "user: cannot change";
        case StartStep::directory: return "directory: cannot enter";
        case StartStep::orphaned: return "its guard was gone";
        case StartStep::execute: return "command: cannot run";
    }
    return "?";
}

std::string step_object(const ChildSpec& spec, StartStep step) {
    switch (step) {
        case StartStep::directory: return std::format(" \"{}\"", spec.directory);
        case StartStep::user: return std::format(" to \"{}\"", spec.user ? spec.user->name : "");
        case StartStep::execute: return std::format(" \"{}\"", spec.command.front());
        default: return "";
    }
}

std::string cure_of_start(std::string_view section, StartStep step, int code) {
    if (step == StartStep::limits) {
        return "; limits.open_files and limits.processes may not be above the hard limits (ulimit -Hn, -Hu)";
    }
    if (step == StartStep::directory) {
        return "; it must exist, and the program's user must be allowed to enter it";
    }
    if (step != StartStep::execute) {
        return "";
    }
    switch (code) {
        case ENOENT:
            return std::format(
                "; it is neither in PATH nor in [{}] directory, or the interpreter that its first line names "
                "is missing",
                section
            );
        case EACCES: return "; it must be a file that the program's user may execute (chmod +x)";
        case ENOEXEC: return "; a script must begin with the line #!INTERPRETER";
        case EAGAIN: return "; the user runs as many processes as limits.processes or the system allows";
        default: return "";
    }
}

}  // namespace

std::vector<std::string> guard_arguments(const ChildSpec& spec) {
    std::vector<std::string> words{"trilith", kExecChildVerb};
    for (const TextKey& key : kTextKeys) {
        words.push_back(std::format("{}={}", key.key, spec.*(key.text)));
    }
    for (const DescriptorKey& key : kDescriptorKeys) {
        words.push_back(std::format("{}={}", key.key, spec.*(key.number)));
    }
    for (const NumberKey& key : kNumberKeys) {
        words.push_back(std::format("{}={}", key.key, spec.*(key.number)));
    }
    if (spec.user) {
        words.push_back(
            std::format("user={}:{}:{}:{}", spec.user->uid, spec.user->gid, spec.user->name, spec.user->home)
        );
    }
    words.emplace_back(kCommandMark);
    words.insert(words.end(), spec.command.begin(), spec.command.end());
    return words;
}

core::Result<ChildSpec> parse_guard_arguments(std::span<char* const> arguments) {
    ChildSpec spec;
    size_t at = 2;  // the program's name and the verb
    for (; at < arguments.size() && arguments[at] != kCommandMark; ++at) {
        std::string_view word = arguments[at];
        size_t equals = word.find('=');
        if (equals == std::string_view::npos ||
            !read_word(word.substr(0, equals), word.substr(equals + 1), spec)) {
            return fail(ErrorKind::invalid, std::format("\"{}\" is no word of a supervisor", word));
        }
    }
    for (++at; at < arguments.size(); ++at) {
        spec.command.emplace_back(arguments[at]);
    }
    if (spec.command.empty() || spec.channel < 0 || spec.supervisor <= 0) {
        return fail(ErrorKind::invalid, "this verb is for `trilith serve` to run, not for people");
    }
    return spec;
}

std::vector<std::string> hide_environment(std::vector<std::string> entries) {
    for (std::string& entry : entries) {
        entry.insert(0, ".");
    }
    return entries;
}

std::vector<std::string> reveal_environment(char* const* environment) {
    std::vector<std::string> entries;
    for (char* const* entry = environment; *entry != nullptr; ++entry) {
        if (**entry == '.') {
            entries.emplace_back(*entry + 1);
        }
    }
    return entries;
}

std::string describe_failed_start(
    std::string_view section,
    const ChildSpec& spec,
    const GuardReport& report
) {
    return std::format(
        "[{}] {}{}: {}{}",
        section,
        step_name(report.step),
        step_object(spec, report.step),
        std::strerror(report.code),
        cure_of_start(section, report.step, report.code)
    );
}

}  // namespace child
