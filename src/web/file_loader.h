// Opens a file below the root with the siblings beside it, and looks whether one that was opened is still the
// same.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/units.h"
#include "web/config.h"
#include "web/content_type.h"
#include "web/fault_log.h"
#include "web/file_record.h"

namespace web {

// Why there is no record.
enum class FileMiss : uint8_t {
    none,         // there is one
    absent,       // no regular file of this name below the root
    forbidden,    // we have no right to read it
    unavailable,  // descriptors or memory ran out, the file did not hold still, or there is no root
    failed,       // the disk failed
};

struct LoadedFile {
    FileMiss miss = FileMiss::none;
    std::shared_ptr<const FileRecord> record;
};

class FileLoader {
public:
    // Both must outlive the loader.
    FileLoader(const Config& config, FaultLog& faults);

    // `path`: relative to `root`, a descriptor. Costs an openat2 for the file and for each sibling that is
    // configured, and the reading of those that are small. What is wrong, but for files that are not there,
    // is reported.
    [[nodiscard]] LoadedFile load(int root, const std::string& path, core::Instant now);

    // Whether load() would see the same files. Costs a stat for the file and for each sibling that is
    // configured. What is compared is the file's identity, so a path that has come to lead out of the root
    // cannot be the same.
    [[nodiscard]] bool is_unchanged(int root, const std::string& path, const FileRecord& record) const;

private:
    struct Opened {
        int error = 0;  // errno; 0: `representation` is there
        Representation representation;
    };

    [[nodiscard]] Opened open(int root, const std::string& path) const;
    // 0: a small file's bytes, all of one version, are in the target; of a larger one none are. Or errno. The
    // target's identity is the last `status`.
    [[nodiscard]] int read_if_small(int fd, runtime::FileStatus& status, Representation& target) const;
    void add_siblings(int root, const std::string& path, FileRecord& record) const;
    [[nodiscard]] LoadedFile miss(int error, const std::string& path, core::Instant now);
    [[nodiscard]] std::string_view cache_control_of(std::string_view path) const;

    const Config& config_;
    FaultLog& faults_;
    ContentTypes types_;
};

}  // namespace web
