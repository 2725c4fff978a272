#include "web/file_cache.h"

#include <algorithm>

namespace web {
namespace {

// One of so many entries, and bytes, is for missing names.
constexpr uint32_t kMissingShare = 10;

// Longer than a tick of any kernel's clock (10 ms at 100 Hz).
constexpr core::Duration kSettleTime = std::chrono::milliseconds(100);

// What the list, the index and the heap take for one entry, beside the text of its path.
constexpr uint64_t kEntryCost = 256;

// Written to in place: it could not be sent to its end.
bool has_changed(const FileRecord& record) {
    return std::ranges::any_of(record.representations, [](const Representation& one) {
        return one.descriptor.is_open() &&
               runtime::has_changed(one.descriptor.get(), one.size(), one.identity.modified_ns);
    });
}

bool has_same_files(const FileRecord& a, const FileRecord& b) {
    return std::ranges::equal(
        a.representations,
        b.representations,
        {},
        &Representation::identity,
        &Representation::identity
    );
}

}  // namespace

FileCache::FileCache(const Config& config, core::Log& log, runtime::Descriptor root)
    : bounds_(config.cache),
      faults_(log),
      root_(config.root, config.cache.valid, faults_, std::move(root)),
      loader_(config, faults_) {}

LoadedFile FileCache::find(std::string_view path, core::Instant now) {
    ++calls_;
    if (root_.look_again(now)) {
        clear();
    }
    auto found = index_.find(path);
    if (found != index_.end() && is_believed(*found->second, now)) {
        touch(found->second);
        return found->second->file;
    }
    Entry fresh = load(std::string(path), now);
    if (fresh.file.miss == FileMiss::unavailable && release_files()) {
        fresh = load(std::string(path), now);
        found = index_.find(path);
    }
    if (found != index_.end()) {
        const LoadedFile& known = found->second->file;
        fresh.is_settled =
            known.record && fresh.file.record && has_same_files(*known.record, *fresh.file.record);
        remove(found->second);
    }
    LoadedFile file = fresh.file;
    keep(std::move(fresh));
    return file;
}

bool FileCache::release_files() {
    const bool has_any = !shelves_[std::to_underlying(Shelf::open)].empty();
    while (!shelves_[std::to_underlying(Shelf::open)].empty()) {
        remove_oldest(Shelf::open);
    }
    return has_any;
}

bool FileCache::is_believed(Entry& entry, core::Instant now) const {
    if (entry.file.record && entry.file.record->is_stale()) {
        return false;
    }
    if (entry.shelf == Shelf::open && has_changed(*entry.file.record)) {
        return false;
    }
    if (now - entry.looked_at < bounds_.valid) {
        return true;
    }
    if (!entry.file.record) {
        return false;
    }
    if (!entry.is_settled && now - entry.loaded_at >= kSettleTime) {
        return false;
    }
    if (!loader_.is_unchanged(root_.descriptor(), entry.path, *entry.file.record)) {
        return false;
    }
    entry.looked_at = now;
    return true;
}

FileCache::Entry FileCache::load(std::string path, core::Instant now) {
    Entry entry;
    entry.path = std::move(path);
    entry.looked_at = now;
    entry.loaded_at = now;
    entry.used = calls_;
    if (root_.descriptor() < 0) {
        entry.file.miss = FileMiss::unavailable;
        return entry;
    }
    entry.file = loader_.load(root_.descriptor(), entry.path, now);
    entry.bytes = kEntryCost + entry.path.capacity();
    if (entry.file.record) {
        entry.shelf = entry.file.record->open_files() > 0 ? Shelf::open : Shelf::memory;
        entry.bytes += entry.file.record->memory();
    }
    return entry;
}

void FileCache::touch(Entries::iterator entry) {
    Entries& entries = shelves_[std::to_underlying(entry->shelf)];
    entries.splice(entries.begin(), entries, entry);
    entry->used = calls_;
}

void FileCache::keep(Entry entry) {
    if (entry.file.miss == FileMiss::unavailable || entry.file.miss == FileMiss::failed) {
        return;
    }
    const uint64_t missing_bytes_max = bounds_.bytes_max / kMissingShare;
    const bool is_missing = entry.shelf == Shelf::missing;
    if (entry.bytes > (is_missing ? missing_bytes_max : bounds_.bytes_max - missing_bytes_max)) {
        return;  // it would push out all others, and itself
    }
    if (is_missing) {
        ++use_.missing;
        use_.missing_bytes += entry.bytes;
    } else {
        ++use_.files;
        use_.file_bytes += entry.bytes;
        use_.open_files += entry.file.record->open_files();
    }
    Entries& entries = shelves_[std::to_underlying(entry.shelf)];
    entries.push_front(std::move(entry));
    index_.emplace(entries.front().path, entries.begin());
    shrink();
}

void FileCache::remove(Entries::iterator entry) {
    if (entry->shelf == Shelf::missing) {
        --use_.missing;
        use_.missing_bytes -= entry->bytes;
    } else {
        --use_.files;
        use_.file_bytes -= entry->bytes;
        use_.open_files -= entry->file.record->open_files();
    }
    index_.erase(entry->path);
    shelves_[std::to_underlying(entry->shelf)].erase(entry);
}

void FileCache::remove_oldest(Shelf shelf) { remove(std::prev(shelves_[std::to_underlying(shelf)].end())); }

void FileCache::shrink() {
    const uint32_t missing_max = std::max(bounds_.entries_max / kMissingShare, 1U);
    const uint64_t missing_bytes_max = bounds_.bytes_max / kMissingShare;
    while (use_.missing > missing_max || use_.missing_bytes > missing_bytes_max) {
        remove_oldest(Shelf::missing);
    }
    while (use_.open_files > bounds_.open_files_max) {
        remove_oldest(Shelf::open);
    }
    while (use_.files > bounds_.entries_max - missing_max ||
           use_.file_bytes > bounds_.bytes_max - missing_bytes_max) {
        const Entries& memory = shelves_[std::to_underlying(Shelf::memory)];
        const Entries& open = shelves_[std::to_underlying(Shelf::open)];
        const bool is_open_older = memory.empty() || (!open.empty() && open.back().used < memory.back().used);
        remove_oldest(is_open_older ? Shelf::open : Shelf::memory);
    }
}

void FileCache::clear() {
    index_.clear();
    for (Entries& entries : shelves_) {
        entries.clear();
    }
    use_ = {};
}

}  // namespace web
