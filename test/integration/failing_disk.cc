// A disk that fails, for test_web_disk.py: loaded into a server before the C library, so that pread(2) of a
// file gives EIO where a file of its name and ".eio" lies beside it, from the offset on that is the size of
// that one.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <string_view>

namespace {

// Writes `text` at `at`; gives where it ends.
char* append(char* at, std::string_view text) { return std::copy(text.begin(), text.end(), at); }

bool is_broken(int fd, off_t end) {
    std::array<char, 32> link{};
    char* number = append(link.data(), "/proc/self/fd/");
    std::to_chars(number, link.end() - 1, fd);
    std::array<char, PATH_MAX + 8> path{};
    ssize_t length = ::readlink(link.data(), path.data(), PATH_MAX);
    if (length <= 0) {
        return false;
    }
    append(path.data() + length, ".eio");
    struct stat marker{};
    return ::stat(path.data(), &marker) == 0 && end > marker.st_size;
}

}  // namespace

extern "C" ssize_t pread(int fd, void* target, size_t count, off_t offset) {
    using Read = ssize_t (*)(int, void*, size_t, off_t);
    static const Read read_really = reinterpret_cast<Read>(::dlsym(RTLD_NEXT, "pread"));
    if (is_broken(fd, offset + static_cast<off_t>(count))) {
        errno = EIO;
        return -1;
    }
    return read_really(fd, target, count, offset);
}
