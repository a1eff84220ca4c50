/* Loaded into every process of a traced command (LD_PRELOAD): notes what it does to files.
 *
 * - One record for each call that succeeded, appended to RAKKAN_TRACE_LOG by one write:
 *   "op time device inode size mtime ctime\0path\0second path\0". The file is opened for each record and closed
 *   again: no state, so nothing to break over fork, exec, threads, or a program that closes what it has not opened.
 * - Nothing here allocates memory, takes a lock or changes errno. Names are those of the opened file itself
 *   where there is one, else the folder and the name as given, joined.
 * - Blind for static programs, system calls made without the C library, and setuid programs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ROOM (2 * PATH_MAX + 512)
#define PUBLIC __attribute__((visibility("default")))

static const char *log_path;

/* The absolute path of a name: as much of it as can be known without asking the file system about it. */
static size_t full(char *out, int folder, const char *name) {
    size_t length = 0;
    if (name[0] != '/') {
        char link[64];
        if (folder == AT_FDCWD)
            strcpy(link, "/proc/self/cwd");
        else
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t got = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
        if (got < 0)
            return 0;
        length = (size_t)got;
        if (name[0])
            out[length++] = '/';
    }
    size_t more = strnlen(name, PATH_MAX - 1);
    memcpy(out + length, name, more);
    out[length + more] = 0;
    return length + more + 1;
}

static void append(const char *record, size_t length) {
    int to = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (to >= 0) {
        if (syscall(SYS_write, to, record, length) < 0) { /* a full disk: the record lacks a file */
        }
        syscall(SYS_close, to);
    }
}

/* Notes a call on an open file (fd >= 0), or on one or two names. */
static void note(char op, int fd, int folder, const char *name, int second_folder, const char *second) {
    if (!log_path)
        return;
    int before = errno;
    char record[ROOM + PATH_MAX];
    struct timespec now;
    struct stat found;
    memset(&found, 0, sizeof found);
    if (fd >= 0 && (fstat(fd, &found) || !S_ISREG(found.st_mode))) {
        errno = before;
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    size_t used = (size_t)snprintf(record, 256, "%c %lld.%09ld %llu %llu %lld %lld%09ld %lld%09ld", op,
        (long long)now.tv_sec, now.tv_nsec, (unsigned long long)found.st_dev, (unsigned long long)found.st_ino,
        (long long)found.st_size, (long long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
        (long long)found.st_ctim.tv_sec, found.st_ctim.tv_nsec) + 1;
    size_t first = full(record + used, fd >= 0 ? fd : folder, fd >= 0 ? "" : name);
    used += first;
    size_t last = 1;
    if (second)
        last = full(record + used, second_folder, second);
    else
        record[used] = 0;
    if (first && last)
        append(record, used + last);
    errno = before;
}

static void opened(int fd, int flags) {
    if (fd < 0 || (flags & (O_PATH | O_DIRECTORY)) == O_PATH)
        return;
    int how = flags & O_ACCMODE;
    char op = 'r';
    if (how == O_WRONLY || (how == O_RDWR && (flags & (O_TRUNC | O_EXCL))))
        op = 'w';
    else if (how == O_RDWR)
        op = flags & O_CREAT ? 'c' : 'u';
    note(op, fd, 0, 0, 0, 0);
}

__attribute__((constructor)) static void begin(void) {
    log_path = getenv("RAKKAN_TRACE_LOG");
    note('x', -1, AT_FDCWD, "/proc/self/exe", 0, 0);
}

#define MODE(flags)                                                                                                    \
    mode_t mode = 0;                                                                                                   \
    if (__OPEN_NEEDS_MODE(flags)) {                                                                                    \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }

#define OPEN(name)                                                                                                     \
    PUBLIC int name(const char *path, int flags, ...) {                                                                \
        MODE(flags)                                                                                                    \
        int fd = NEXT(name)(path, flags, mode);                                                                        \
        opened(fd, flags);                                                                                             \
        return fd;                                                                                                     \
    }
#define OPENAT(name)                                                                                                   \
    PUBLIC int name(int folder, const char *path, int flags, ...) {                                                    \
        MODE(flags)                                                                                                    \
        int fd = NEXT(name)(folder, path, flags, mode);                                                                \
        opened(fd, flags);                                                                                             \
        return fd;                                                                                                     \
    }
#define CREAT(name)                                                                                                    \
    PUBLIC int name(const char *path, mode_t mode) {                                                                   \
        int fd = NEXT(name)(path, mode);                                                                               \
        opened(fd, O_WRONLY);                                                                                          \
        return fd;                                                                                                     \
    }
#define FOPEN(name)                                                                                                    \
    PUBLIC FILE *name(const char *path, const char *mode) {                                                            \
        FILE *file = NEXT(name)(path, mode);                                                                           \
        streamed(file, mode);                                                                                          \
        return file;                                                                                                   \
    }
#define FREOPEN(name)                                                                                                  \
    PUBLIC FILE *name(const char *path, const char *mode, FILE *old) {                                                 \
        FILE *file = NEXT(name)(path, mode, old);                                                                      \
        if (path)                                                                                                      \
            streamed(file, mode);                                                                                      \
        return file;                                                                                                   \
    }
/* mkstemp and its relatives: a new file, open for both. */
#define TEMPORARY(name, parameters, arguments)                                                                         \
    PUBLIC int name parameters {                                                                                       \
        int fd = NEXT(name) arguments;                                                                                 \
        opened(fd, O_RDWR | O_EXCL);                                                                                   \
        return fd;                                                                                                     \
    }
#define TRUNCATE(name, type)                                                                                           \
    PUBLIC int name(const char *path, type length) {                                                                   \
        int failed = NEXT(name)(path, length);                                                                         \
        if (!failed)                                                                                                   \
            note('w', -1, AT_FDCWD, path, 0, 0);                                                                       \
        return failed;                                                                                                 \
    }
/* What a checked open (_FORTIFY_SOURCE) is compiled to. */
#define CHECKED(name, parameters, arguments)                                                                           \
    int name parameters;                                                                                               \
    PUBLIC int name parameters {                                                                                       \
        int fd = NEXT(name) arguments;                                                                                 \
        opened(fd, flags);                                                                                             \
        return fd;                                                                                                     \
    }

static void streamed(FILE *file, const char *mode) {
    if (!file)
        return;
    int both = strchr(mode, '+') != 0;
    int flags = mode[0] == 'r' ? (both ? O_RDWR : O_RDONLY) : mode[0] == 'w' ? O_WRONLY : (both ? O_RDWR | O_CREAT : O_WRONLY);
    opened(fileno(file), flags);
}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
CREAT(creat)
CREAT(creat64)
FOPEN(fopen)
FOPEN(fopen64)
FREOPEN(freopen)
FREOPEN(freopen64)
TEMPORARY(mkstemp, (char *pattern), (pattern))
TEMPORARY(mkstemp64, (char *pattern), (pattern))
TEMPORARY(mkostemp, (char *pattern, int flags), (pattern, flags))
TEMPORARY(mkostemp64, (char *pattern, int flags), (pattern, flags))
TEMPORARY(mkstemps, (char *pattern, int suffix), (pattern, suffix))
TEMPORARY(mkstemps64, (char *pattern, int suffix), (pattern, suffix))
TEMPORARY(mkostemps, (char *pattern, int suffix, int flags), (pattern, suffix, flags))
TEMPORARY(mkostemps64, (char *pattern, int suffix, int flags), (pattern, suffix, flags))
TRUNCATE(truncate, off_t)
TRUNCATE(truncate64, off64_t)
#ifdef __GLIBC__
CHECKED(__open_2, (const char *path, int flags), (path, flags))
CHECKED(__open64_2, (const char *path, int flags), (path, flags))
CHECKED(__openat_2, (int folder, const char *path, int flags), (folder, path, flags))
CHECKED(__openat64_2, (int folder, const char *path, int flags), (folder, path, flags))
#endif

PUBLIC int rename(const char *old, const char *new) {
    int failed = NEXT(rename)(old, new);
    if (!failed)
        note('n', -1, AT_FDCWD, old, AT_FDCWD, new);
    return failed;
}

PUBLIC int renameat(int from, const char *old, int to, const char *new) {
    int failed = NEXT(renameat)(from, old, to, new);
    if (!failed)
        note('n', -1, from, old, to, new);
    return failed;
}

PUBLIC int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    int failed = NEXT(renameat2)(from, old, to, new, flags);
    if (!failed)
        note(flags & RENAME_EXCHANGE ? 's' : 'n', -1, from, old, to, new);
    return failed;
}

PUBLIC int link(const char *old, const char *new) {
    int failed = NEXT(link)(old, new);
    if (!failed)
        note('l', -1, AT_FDCWD, old, AT_FDCWD, new);
    return failed;
}

PUBLIC int linkat(int from, const char *old, int to, const char *new, int flags) {
    int failed = NEXT(linkat)(from, old, to, new, flags);
    if (!failed)
        note('l', -1, from, old, to, new);
    return failed;
}

PUBLIC int unlink(const char *path) {
    int failed = NEXT(unlink)(path);
    if (!failed)
        note('d', -1, AT_FDCWD, path, 0, 0);
    return failed;
}

PUBLIC int unlinkat(int folder, const char *path, int flags) {
    int failed = NEXT(unlinkat)(folder, path, flags);
    if (!failed)
        note('d', -1, folder, path, 0, 0);
    return failed;
}

PUBLIC int remove(const char *path) {
    int failed = NEXT(remove)(path);
    if (!failed)
        note('d', -1, AT_FDCWD, path, 0, 0);
    return failed;
}
