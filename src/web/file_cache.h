// The files that one core has served, by path: bounded, looked at again when they are old, and the names that
// were asked for and are not there.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/log.h"
#include "core/units.h"
#include "web/config.h"
#include "web/fault_log.h"
#include "web/file_loader.h"
#include "web/file_record.h"
#include "web/site_root.h"

namespace web {

// What is kept at the moment.
struct CacheUse {
    uint32_t files = 0;
    uint32_t missing = 0;        // names that are not there, or may not be read
    uint32_t open_files = 0;     // descriptors
    uint64_t file_bytes = 0;     // memory, about
    uint64_t missing_bytes = 0;  // the same
};

// Three lists, each from the last used to the longest unused: files in memory, files that hold a descriptor,
// and missing names. Missing names are a tenth of CacheConfig::entries_max and of bytes_max at most, and
// files the rest: whoever asks for names that are not there pushes out nothing but such names. Beyond a bound
// the longest unused goes; of files in memory and open ones the older.
//
// The hash of names is not seeded. Real names are the operator's, and a chain of missing names that collide
// is a tenth of entries_max at the very most.
class FileCache {
public:
    // Both must outlive the cache. `root`: see SiteRoot.
    FileCache(const Config& config, core::Log& log, runtime::Descriptor root = {});

    FileCache(const FileCache&) = delete;
    FileCache& operator=(const FileCache&) = delete;

    // The file at `path`, relative to the root and without leading slash. What is known for less than
    // CacheConfig::valid is believed; nothing is allocated then. An open file is looked at each time, whether
    // it was written to in place: what is kept of it could not be sent to its end. A file that does not fit
    // into the cache is loaded at each call. What failed for want of descriptors, memory or a good disk is
    // not kept.
    [[nodiscard]] LoadedFile find(std::string_view path, core::Instant now);

    // A file that find() gave could not be read while it was sent; `code` is an errno value.
    void report_unreadable(std::string_view path, int code, core::Instant now) {
        faults_.report(Fault::failed, path, code, now);
    }

    // Closes the files that are kept open, but for those that are being sent. False: there was none.
    bool release_files();

    [[nodiscard]] const CacheUse& use() const { return use_; }

private:
    enum class Shelf : uint8_t { memory, open, missing };

    struct Entry {
        std::string path;
        LoadedFile file;
        core::Instant looked_at;
        core::Instant loaded_at;
        // Of files in memory: it was read again after its file system's clock had moved on, see FileIdentity.
        bool is_settled = false;
        Shelf shelf = Shelf::missing;
        uint64_t bytes = 0;
        uint64_t used = 0;  // the number of the call of find() that used it last
    };

    using Entries = std::list<Entry>;

    [[nodiscard]] bool is_believed(Entry& entry, core::Instant now) const;
    [[nodiscard]] Entry load(std::string path, core::Instant now);
    void touch(Entries::iterator entry);
    void keep(Entry entry);
    void remove(Entries::iterator entry);
    void remove_oldest(Shelf shelf);
    void shrink();
    void clear();

    const CacheConfig& bounds_;
    FaultLog faults_;
    SiteRoot root_;
    FileLoader loader_;
    std::array<Entries, 3> shelves_;
    std::unordered_map<std::string_view, Entries::iterator> index_;  // by Entry::path
    CacheUse use_;
    uint64_t calls_ = 0;
};

}  // namespace web
