#include "cluster/data_origin.h"

#include <sys/statvfs.h>

#include <charconv>
#include <filesystem>
#include <format>

#include "cluster/durable_file.h"

namespace cluster {

namespace {

constexpr std::string_view kOriginTitle = "trilith-origin 1\n";
constexpr std::string_view kRenewalKey = "renewal ";
constexpr std::string_view kCopyKey = "copy ";
constexpr size_t kOriginMax = 2048;

std::string origin_file(const std::string& data) { return data + "/trilith-origin"; }

// The line behind `key`, taken off `text`; nothing where another comes.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view key) {
    size_t end = text.find('\n');
    if (!text.starts_with(key) || end == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view value = text.substr(key.size(), end - key.size());
    text.remove_prefix(end + 1);
    return value;
}

}  // namespace

std::string write_origin(const DataOrigin& origin) {
    std::string text = std::format("{}{}{}\n", kOriginTitle, kRenewalKey, origin.renewal);
    if (!origin.source.empty()) {
        text += std::format("{}{} {}\n", kCopyKey, origin.source, origin.position);
    }
    return text;
}

std::optional<DataOrigin> parse_origin(std::string_view text) {
    DataOrigin origin;
    if (!text.starts_with(kOriginTitle)) {
        return std::nullopt;
    }
    text.remove_prefix(kOriginTitle.size());
    auto renewal = take_line(text, kRenewalKey);
    if (!renewal) {
        return std::nullopt;
    }
    auto [end, status] = std::from_chars(renewal->data(), renewal->data() + renewal->size(), origin.renewal);
    if (status != std::errc{} || end != renewal->data() + renewal->size()) {
        return std::nullopt;
    }
    if (auto copy = take_line(text, kCopyKey)) {
        size_t space = copy->find(' ');
        if (space == 0 || space == std::string_view::npos) {
            return std::nullopt;
        }
        origin.source = copy->substr(0, space);
        origin.position = copy->substr(space + 1);
    }
    return text.empty() ? std::optional(origin) : std::nullopt;
}

DataOrigin origin_of(const std::string& data) {
    auto text = read_small_file(origin_file(data), kOriginMax);
    return text && *text ? parse_origin(**text).value_or(DataOrigin{}) : DataOrigin{};
}

core::Result<void> record_origin(const std::string& data, const DataOrigin& origin) {
    return replace_durably(origin_file(data), write_origin(origin));
}

uint64_t bytes_below(const std::string& directory) {
    uint64_t bytes = 0;
    std::error_code failed;
    std::filesystem::recursive_directory_iterator entry(directory, failed);
    while (!failed && entry != std::filesystem::recursive_directory_iterator{}) {
        std::error_code gone;
        uint64_t size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
        bytes += gone ? 0 : size;
        entry.increment(failed);
    }
    return bytes;
}

bool has_short_whole_history(const std::string& data, uint64_t bytes_max) {
    std::error_code failed;
    if (!origin_of(data).source.empty() || !std::filesystem::exists(data + "/binlog.000001", failed)) {
        return false;
    }
    uint64_t bytes = 0;
    std::filesystem::directory_iterator entry(data, failed);
    while (!failed && entry != std::filesystem::directory_iterator{}) {
        std::error_code gone;
        if (entry->path().filename().string().starts_with("binlog.")) {
            uint64_t size = entry->file_size(gone);
            bytes += gone ? 0 : size;
        }
        entry.increment(failed);
    }
    return !failed && bytes <= bytes_max;
}

std::optional<uint64_t> free_bytes(const std::string& directory) {
    struct statvfs found{};
    if (::statvfs(directory.c_str(), &found) != 0) {
        return std::nullopt;
    }
    return uint64_t{found.f_bavail} * found.f_frsize;
}

}  // namespace cluster
