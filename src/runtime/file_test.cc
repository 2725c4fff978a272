// Files below a directory: what is opened, what is not, and what two looks tell.
#include "runtime/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "core/panic.h"

namespace runtime {
namespace {

// "root" with a file, a folder, links and a FIFO in it, and "outside" beside it.
class Tree {
public:
    Tree() : path_("/tmp/tlf-XXXXXX") {
        ASSERT(::mkdtemp(path_.data()) != nullptr);
        std::filesystem::create_directories(path_ + "/root/folder");
        write("root/file", "0123456789");
        write("outside", "secret");
        link("../outside", "root/out");
        link(path_ + "/root/file", "root/absolute");
        link("file", "root/inside");
        link("../file", "root/folder/up");
        link("circle", "root/circle");
        link("/proc/self/fd/0", "root/magic");
        ASSERT(::mkfifo((path_ + "/root/fifo").c_str(), 0600) == 0);
        root_ = Descriptor(open_directory((path_ + "/root").c_str()));
    }

    ~Tree() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;

    [[nodiscard]] int root() const { return root_.get(); }

    [[nodiscard]] const std::string& path() const { return path_; }

    void write(const std::string& name, std::string_view text) const {
        const Descriptor file(::open((path_ + "/" + name).c_str(), O_WRONLY | O_CREAT, 0644));
        ASSERT(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }

private:
    void link(const std::string& target, const std::string& name) const {
        ASSERT(::symlink(target.c_str(), (path_ + "/" + name).c_str()) == 0);
    }

    std::string path_;
    Descriptor root_;
};

TEST_CASE("what is below is opened, through links too") {
    const Tree tree;
    REQUIRE(tree.root() >= 0);
    CHECK(can_open_beneath(tree.root()) == 0);
    for (const char* path : {"file", "inside", "folder/up", "folder/../file", "./file"}) {
        CAPTURE(path);
        const Descriptor file(open_beneath(tree.root(), path));
        CHECK(file.is_open());
        FileStatus status;
        CHECK(file_status(file.get(), status) == 0);
        CHECK(status.kind == FileKind::regular);
        CHECK(status.identity.size == 10);
    }
}

TEST_CASE("nothing leads out") {
    const Tree tree;
    CHECK(open_beneath(tree.root(), "../outside") == -EXDEV);
    CHECK(open_beneath(tree.root(), "folder/../../outside") == -EXDEV);
    CHECK(open_beneath(tree.root(), "out") == -EXDEV);
    CHECK(open_beneath(tree.root(), "/etc/passwd") == -EXDEV);
    CHECK(open_beneath(tree.root(), "absolute") == -EXDEV);  // wherever it leads
    CHECK(open_beneath(tree.root(), "circle") == -ELOOP);
    CHECK(open_beneath(tree.root(), "magic") < 0);
    CHECK(open_beneath(tree.root(), "nothing") == -ENOENT);
    CHECK(open_beneath(tree.root(), "file/nothing") == -ENOTDIR);
}

TEST_CASE("a FIFO without a writer is opened at once and told apart") {
    const Tree tree;
    const Descriptor fifo(open_beneath(tree.root(), "fifo"));
    REQUIRE(fifo.is_open());
    FileStatus status;
    REQUIRE(file_status(fifo.get(), status) == 0);
    CHECK(status.kind == FileKind::other);
    const Descriptor folder(open_beneath(tree.root(), "folder"));
    REQUIRE(file_status(folder.get(), status) == 0);
    CHECK(status.kind == FileKind::directory);
}

TEST_CASE("two looks are the same while the file is") {
    const Tree tree;
    FileStatus first;
    FileStatus second;
    REQUIRE(file_status_at(tree.root(), "file", first) == 0);
    REQUIRE(file_status_of((tree.path() + "/root/inside").c_str(), second) == 0);
    CHECK(first.identity == second.identity);
    tree.write("root/other", "0123456789");
    REQUIRE(file_status_at(tree.root(), "other", second) == 0);
    CHECK(first.identity != second.identity);
    CHECK(file_status_at(tree.root(), "nothing", second) == -ENOENT);
}

TEST_CASE("reading ends where the file ends") {
    const Tree tree;
    const Descriptor file(open_beneath(tree.root(), "file"));
    std::array<char, 16> target{};
    CHECK(read_file_at(file.get(), target, 0) == 10);
    CHECK(std::string_view(target.data(), 10) == "0123456789");
    CHECK(read_file_at(file.get(), target, 8) == 2);
    CHECK(read_file_at(file.get(), target, 10) == 0);
    CHECK(read_file_at(-1, target, 0) == -EBADF);
}

TEST_CASE("a directory is opened, and nothing else is") {
    const Tree tree;
    CHECK(open_directory((tree.path() + "/nothing").c_str()) == -ENOENT);
    CHECK(open_directory((tree.path() + "/outside").c_str()) == -ENOTDIR);
}

TEST_CASE("a descriptor is closed once, by its last owner") {
    const Tree tree;
    const int value = open_beneath(tree.root(), "file");
    REQUIRE(value >= 0);
    {
        Descriptor first(value);
        Descriptor second(std::move(first));
        CHECK(second.get() == value);
        Descriptor third;
        third = std::move(second);
        CHECK(third.get() == value);
        CHECK(::fcntl(value, F_GETFD) == FD_CLOEXEC);
    }
    CHECK(::fcntl(value, F_GETFD) == -1);
}

}  // namespace
}  // namespace runtime
