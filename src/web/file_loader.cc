#include "web/file_loader.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "web/accept_encoding.h"
#include "web/path_pattern.h"

namespace web {
namespace {

// A file that is written to while it is read is read again, so often at most.
constexpr int kReadAttempts = 4;

// Beside the errno values, which are positive: the file did not hold still.
constexpr int kUnsettled = -1;

bool is_encoded_name(std::string_view path) {
    return path.ends_with(".br") || path.ends_with(".zst") || path.ends_with(".gz");
}

// A sibling older than its file was made from an older version of it. Whole seconds are compared, because
// tools that copy times do not all copy the rest.
bool is_stale(const Representation& sibling, const Representation& plain) {
    return sibling.modified() < plain.modified();
}

// None: no regular file is there.
std::optional<runtime::FileIdentity> identity_of(int root, const std::string& path) {
    runtime::FileStatus status;
    if (runtime::file_status_at(root, path.c_str(), status) < 0 ||
        status.kind != runtime::FileKind::regular) {
        return std::nullopt;
    }
    return status.identity;
}

}  // namespace

FileLoader::FileLoader(const Config& config, FaultLog& faults)
    : config_(config), faults_(faults), types_(config) {}

FileLoader::Opened FileLoader::open(int root, const std::string& path) const {
    const int fd = runtime::open_beneath(root, path.c_str());
    if (fd < 0) {
        return {.error = -fd, .representation = {}};
    }
    runtime::Descriptor descriptor(fd);
    runtime::FileStatus status;
    if (const int result = runtime::file_status(fd, status); result < 0) {
        return {.error = -result, .representation = {}};
    }
    if (status.kind != runtime::FileKind::regular) {
        return {.error = ENOENT, .representation = {}};
    }
    Opened opened;
    opened.error = read_if_small(fd, status, opened.representation);
    if (opened.error == 0 && opened.representation.bytes.size() < opened.representation.size()) {
        opened.representation.descriptor = std::move(descriptor);
    }
    return opened;
}

int FileLoader::read_if_small(int fd, runtime::FileStatus& status, Representation& target) const {
    for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
        target.identity = status.identity;
        if (target.size() > config_.cache.memory_max) {
            target.bytes = {};
            return 0;
        }
        target.bytes.resize(target.size());
        const ssize_t length = runtime::read_file_at(fd, target.bytes, 0);
        if (length < 0) {
            return static_cast<int>(-length);
        }
        if (const int result = runtime::file_status(fd, status); result < 0) {
            return -result;
        }
        if (std::cmp_equal(length, target.size()) && status.identity == target.identity) {
            return 0;
        }
    }
    return kUnsettled;
}

LoadedFile FileLoader::load(int root, const std::string& path, core::Instant now) {
    Opened opened = open(root, path);
    if (opened.error != 0) {
        return miss(opened.error, path, now);
    }
    auto record = std::make_shared<FileRecord>();
    record->path = path;
    record->shares_pages = config_.uses_sendfile;
    record->content_type = types_.of(path);
    record->representations.push_back(std::move(opened.representation));
    add_siblings(root, path, *record);
    const Vary vary = record->encodings.empty() ? Vary::none : Vary::accept_encoding;
    const std::string_view cache_control = cache_control_of(path);
    for (Representation& one : record->representations) {
        one.entity_tag = make_entity_tag(one.identity, one.encoding);
        write_ready_fields(one, record->content_type, cache_control, vary);
    }
    return {.record = std::move(record)};
}

void FileLoader::add_siblings(int root, const std::string& path, FileRecord& record) const {
    if (is_encoded_name(path)) {
        return;
    }
    for (const Encoding encoding : config_.precompressed) {
        const std::string sibling = path + std::string(encoding_suffix(encoding));
        Opened opened = open(root, sibling);
        SiblingSeen seen{.encoding = encoding, .identity = {}};
        if (opened.error == EACCES || opened.error == EXDEV) {
            seen.identity = identity_of(root, sibling);  // there, and of no use until it changes
        } else if (opened.error == 0) {
            seen.identity = opened.representation.identity;
            if (!is_stale(opened.representation, record.plain())) {
                opened.representation.encoding = encoding;
                record.representations.push_back(std::move(opened.representation));
                record.encodings.push_back(encoding);
            }
        }
        record.seen.push_back(seen);
    }
}

bool FileLoader::is_unchanged(int root, const std::string& path, const FileRecord& record) const {
    return identity_of(root, path) == record.plain().identity &&
           std::ranges::all_of(record.seen, [&](const SiblingSeen& seen) {
        return identity_of(root, path + std::string(encoding_suffix(seen.encoding))) == seen.identity;
    });
}

LoadedFile FileLoader::miss(int error, const std::string& path, core::Instant now) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ELOOP:  // links in a circle, or one of those of /proc
        case ENAMETOOLONG:
        case ENXIO:  // a socket, or a device without a driver
        case ENODEV: return {.miss = FileMiss::absent, .record = {}};
        case EXDEV:
            faults_.report(Fault::outside, path, 0, now);
            return {.miss = FileMiss::absent, .record = {}};
        case EACCES:
        case EPERM:
            faults_.report(Fault::forbidden, path, error, now);
            return {.miss = FileMiss::forbidden, .record = {}};
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN:  // the tree was renamed about under us, again and again; or a lease on the file is being
                      // broken
            faults_.report(Fault::exhausted, path, error, now);
            return {.miss = FileMiss::unavailable, .record = {}};
        case kUnsettled:
            faults_.report(Fault::unsettled, path, 0, now);
            return {.miss = FileMiss::unavailable, .record = {}};
        default:
            faults_.report(Fault::failed, path, error, now);
            return {.miss = FileMiss::failed, .record = {}};
    }
}

std::string_view FileLoader::cache_control_of(std::string_view path) const {
    const std::string absolute = "/" + std::string(path);
    for (const CacheControlRule& rule : config_.cache_control) {
        if (matches_pattern(rule.match, absolute)) {
            return rule.value;
        }
    }
    return {};
}

}  // namespace web
