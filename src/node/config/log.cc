#include "node/config/log.h"

#include <string>

namespace node {

namespace {

constexpr uint64_t kLogSizeLeast = 64 << 10;
constexpr uint64_t kLogSizeMost = 64ULL << 30;
constexpr uint32_t kLogFilesMost = 1000;

}  // namespace

void read_log(Section& section, std::string_view base, LogConfig& config) {
    section.read("enabled", config.is_enabled);
    if (auto directory = section.read_file_path("directory", "a directory such as \"logs\"", base)) {
        config.directory = *directory;
    }
    section.read_bytes("max_size", config.size_max, {kLogSizeLeast, kLogSizeMost});
    section.read("keep", config.kept, {0, kLogFilesMost});
    section.read("requests", config.has_requests);
    section.finish();
}

}  // namespace node
