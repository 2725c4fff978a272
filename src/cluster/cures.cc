#include "cluster/cures.h"

#include <algorithm>
#include <array>
#include <format>
#include <span>

namespace cluster {

namespace {

constexpr std::array<std::string_view, 2> kPortTaken{
    "Address already in use",
    "Do you already have another server running on port"
};
constexpr std::array<std::string_view, 4> kDiskFull{
    "No space left on device",
    "Disk is full",
    "Disk full",
    "Errcode: 28"
};
constexpr std::array<std::string_view, 4> kForbidden{
    "Permission denied",
    "Operating system error number 13",
    "Errcode: 13",
    "must be writable"
};
constexpr std::array<std::string_view, 2> kInUse{"Another process with pid", "Unable to lock ./ibdata1"};
constexpr std::array<std::string_view, 6> kDamaged{
    "corrupt",  // "Data structure corruption" of all kinds
    "Corrupt",
    "Database creation was aborted",  // ibdata1 is gone
    "checksum mismatch",
    "was not found at",
    "Missing FILE_CHECKPOINT",
};

bool has_any(std::string_view lines, std::span<const std::string_view> texts) {
    return std::ranges::any_of(texts, [lines](std::string_view text) { return lines.contains(text); });
}

}  // namespace

bool cannot_take_back(std::string_view last_lines) {
    return last_lines.contains("Cannot truncate the binary log");
}

std::string cure_of(std::string_view last_lines, const Place& place) {
    if (has_any(last_lines, kPortTaken)) {
        return std::format(
            "port {} or {} of {} is taken: end what listens there, or name others with [database] port and "
            "manager_port",
            place.database.port(),
            place.manager.port(),
            place.database.host_string()
        );
    }
    if (has_any(last_lines, kDiskFull)) {
        return std::format("the disk is full: make room where {} is", place.directory);
    }
    if (has_any(last_lines, kForbidden)) {
        return std::format(
            "files in {} are not readable and writable for the user of mariadbd: give them back to it with "
            "chown and chmod",
            place.directory
        );
    }
    if (has_any(last_lines, kInUse)) {
        return std::format("another mariadbd runs on the data in {}: end it", place.directory);
    }
    if (has_any(last_lines, kDamaged)) {
        return std::format(
            "the data in {}/data are damaged, and are left as they are: restore them, or, while another "
            "server is primary, let them be put aside and copied anew (trilith rejoin {} --discard-extra)",
            place.directory,
            place.server
        );
    }
    return "";
}

}  // namespace cluster
