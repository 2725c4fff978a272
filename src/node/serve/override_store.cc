#include "node/serve/override_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <format>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runtime/descriptor.h"
#include "upstream/config.h"

namespace node {

using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;
using runtime::Descriptor;
using upstream::AdminState;

namespace {

// Not the ordered one, which compares each new key with all before it: there are up to kOverridesMax.
using SortedJson = nlohmann::json;

constexpr uint64_t kFormatVersion = 1;

std::string_view admin_name(AdminState admin) { return admin == AdminState::draining ? "drain" : "disable"; }

std::string format(const Overrides& overrides) {
    SortedJson entries = SortedJson::object();
    for (const auto& [backend, override] : overrides) {
        SortedJson entry = SortedJson::object();
        if (override.weight) {
            entry["weight"] = *override.weight;
        }
        if (override.admin) {
            entry["admin"] = admin_name(*override.admin);
        }
        entries[backend] = std::move(entry);
    }
    SortedJson document = {{"version", kFormatVersion}, {"overrides", std::move(entries)}};
    return document.dump(2, ' ', false, SortedJson::error_handler_t::replace) + "\n";
}

Result<Override> parse_override(const std::string& backend, const SortedJson& entry) {
    auto refuse = [&](std::string_view what) {
        return fail(ErrorKind::invalid, std::format("\"{}\": {}", backend, what));
    };
    if (!entry.is_object() || entry.empty()) {
        return refuse("expected {\"weight\": N, \"admin\": \"drain\" or \"disable\"}, one of them or both");
    }
    Override override;
    for (const auto& [key, value] : entry.items()) {
        if (key == "weight") {
            if (!value.is_number_unsigned() || value.get<uint64_t>() > upstream::kWeightMax) {
                return refuse(std::format("weight is not a number from 0 to {}", upstream::kWeightMax));
            }
            override.weight = value.get<uint32_t>();
        } else if (key == "admin" && value == "drain") {
            override.admin = AdminState::draining;
        } else if (key == "admin" && value == "disable") {
            override.admin = AdminState::disabled;
        } else {
            return refuse(std::format("\"{}\" or its value is not known", key));
        }
    }
    return override;
}

Result<Overrides> parse(std::string_view text) {
    SortedJson document = SortedJson::parse(text, nullptr, false);
    if (!document.is_object() || document.value("version", SortedJson()) != kFormatVersion ||
        !document.contains("overrides") || !document["overrides"].is_object() || document.size() != 2) {
        return fail(ErrorKind::invalid, R"(expected {"version": 1, "overrides": {…}})");
    }
    Overrides overrides;
    for (const auto& [backend, entry] : document["overrides"].items()) {
        TRY(Override override, parse_override(backend, entry));
        overrides.emplace(backend, override);
    }
    if (overrides.size() > kOverridesMax) {
        return fail(ErrorKind::invalid, std::format("more than {} overrides", kOverridesMax));
    }
    return overrides;
}

// None: there is no file.
Result<std::optional<std::string>> read_file(const std::string& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) {
        if (errno == ENOENT) {
            return std::nullopt;
        }
        return fail(Error::of_errno(errno, "cannot be read"));
    }
    std::string text(kOverridesFileBytesMax + 1, '\0');
    size_t filled = 0;
    while (filled < text.size()) {
        ssize_t count = ::read(file.get(), text.data() + filled, text.size() - filled);
        if (count == 0) {
            break;
        }
        if (count < 0 && errno != EINTR) {
            return fail(Error::of_errno(errno, "cannot be read"));
        }
        filled += static_cast<size_t>(std::max<ssize_t>(count, 0));
    }
    if (filled > kOverridesFileBytesMax) {
        return fail(ErrorKind::invalid, std::format("has more than {} bytes", kOverridesFileBytesMax));
    }
    text.resize(filled);
    return text;
}

Result<void> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        ssize_t count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno != EINTR) {
            return fail(Error::of_errno(errno, "cannot be written"));
        }
        text.remove_prefix(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    }
    return {};
}

// A new file at `path` whose bytes are on the disk when this returns.
Result<void> write_durably(const std::string& path, std::string_view text) {
    ::unlink(path.c_str());  // of a process that died while it wrote
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) {
        return fail(Error::of_errno(errno, "cannot be created"));
    }
    TRY_VOID(write_all(file.get(), text));
    if (::fsync(file.get()) != 0 || file.close_now() != 0) {
        return fail(Error::of_errno(errno, "cannot be written"));
    }
    return {};
}

// The rename itself is durable only with the directory that holds both names.
Result<void> sync_directory_of(const std::string& path) {
    std::string directory = path.substr(0, path.rfind('/') + 1);
    Descriptor opened(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    );
    if (!opened.is_open() || ::fsync(opened.get()) != 0) {
        return fail(Error::of_errno(errno, "the directory cannot be synchronised"));
    }
    return {};
}

Result<void> replace_file(const std::string& path, std::string_view text) {
    std::string fresh = path + ".new";
    Result<void> written = write_durably(fresh, text);
    if (written && ::rename(fresh.c_str(), path.c_str()) != 0) {
        written = fail(Error::of_errno(errno, "cannot be replaced"));
    }
    if (!written) {
        ::unlink(fresh.c_str());
        return written;
    }
    return sync_directory_of(path);
}

}  // namespace

Result<OverrideStore> OverrideStore::open(std::string path) {
    auto text = read_file(path);
    if (!text) {
        return fail(std::move(text).error().within(path));
    }
    if (!*text) {
        return OverrideStore(std::move(path), {});
    }
    auto overrides = parse(**text);
    if (!overrides) {
        std::string problem = overrides.error().context();
        return fail(
            ErrorKind::invalid,
            std::format("{}: the kept overrides are damaged: {}; repair or remove the file", path, problem)
        );
    }
    return OverrideStore(std::move(path), *std::move(overrides));
}

Override OverrideStore::find(std::string_view backend) const {
    auto found = overrides_.find(backend);
    return found == overrides_.end() ? Override{} : found->second;
}

Result<void> OverrideStore::set(std::string_view backend, const Override& override) {
    Overrides changed = overrides_;
    changed.insert_or_assign(std::string(backend), override);
    return replace(std::move(changed));
}

Result<void> OverrideStore::replace(Overrides overrides) {
    std::erase_if(overrides, [](const auto& entry) { return entry.second.is_empty(); });
    std::string text = format(overrides);
    if (overrides.size() > kOverridesMax || text.size() > kOverridesFileBytesMax) {
        return fail(
            ErrorKind::exhausted,
            std::format("{}: no room for more overrides ({} are kept)", path_, overrides_.size())
        );
    }
    if (auto written = replace_file(path_, text); !written) {
        return fail(std::move(written).error().within(path_));
    }
    overrides_ = std::move(overrides);
    return {};
}

}  // namespace node
