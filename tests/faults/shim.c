/*
 * Makes the disk fail below SQLite. Preloaded into the server, it intercepts the calls of the C
 * library that write. A control file says what to do with those on database files:
 *
 *   write=ENOSPC   fail with this error (ENOSPC, EIO or EROFS)
 *   sync=EIO       the same for fsync and fdatasync, after the data was written
 *   tear           write half of the bytes, then die as in a power loss
 *   kill 17        die before the 17th call that changes a file or a folder, counted from 1
 *   synced 3       die after the 3rd fsync or fdatasync, before the caller learns of it
 *
 * A number after another fault and a space says which call of that kind is the first to fail.
 *
 * Another file, named by CLOCK_SHIFT, contains the number of seconds by which wall time is shifted.
 * Clocks that count from the start of the machine stay unchanged.
 *
 * An empty or missing control file passes every call on. Each fault adds a byte to another file, so
 * that they can be counted. With `kill` each call counts, so that a number that is never reached gives
 * the number of calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* Not `open` itself, which is one of the calls below. */
static int raw_open(const char *path, int flags) {
    return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static int control(char *text, size_t size) {
    const char *path = getenv("FAULT_CONTROL");
    if (path == NULL) return 0;
    int fd = raw_open(path, O_RDONLY);
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, size - 1);
    close(fd);
    text[length > 0 ? length : 0] = 0;
    return length > 0;
}

static void tally(void) {
    const char *path = getenv("FAULT_COUNT");
    if (path == NULL) return;
    int count = raw_open(path, O_WRONLY | O_CREAT | O_APPEND);
    if (count >= 0) {
        if (syscall(SYS_write, count, "x", 1) != 1) abort();
        close(count);
    }
}

static int path_of(int fd, char *target, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, size - 1);
    target[length > 0 ? length : 0] = 0;
    return length > 0;
}

/* Called before a call that changes a file or a folder: dies here if the control file says so. */
static void point(const char *path) {
    char text[128];
    if (strstr(path, ".db") == NULL || !control(text, sizeof text)) return;
    if (strncmp(text, "kill ", 5) != 0) return;
    static int calls;
    int call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    tally();
    if (call == atoi(text + 5)) kill(getpid(), SIGKILL);
}

static void point_of(int fd) {
    char path[512];
    if (path_of(fd, path, sizeof path)) point(path);
}

/* Whether a descriptor is the database, its write-ahead log or its journal. */
static int is_database(int fd) {
    char target[512];
    if (!path_of(fd, target, sizeof target)) return 0;
    const char *found = strstr(target, ".db");
    return found != NULL && strstr(found, ".lock") == NULL;
}

/* The requested error, 0 for none, -1 to tear. */
static int asked_for(const char *kind, int fd) {
    char text[128];
    if (!control(text, sizeof text) || !is_database(fd)) return 0;
    int tears = strncmp(text, "tear", 4) == 0;
    if (strncmp(tears ? "write=" : text, kind, strlen(kind)) != 0) return 0;
    const char *first = strchr(text, ' ');
    static int calls;
    if (first != NULL && ++calls < atoi(first)) return 0;
    if (tears) return -1;
    const char *name = text + strlen(kind);
    if (strncmp(name, "ENOSPC", 6) == 0) return ENOSPC;
    if (strncmp(name, "EROFS", 5) == 0) return EROFS;
    return EIO;
}

/* Returns the requested error and counts it. */
static int fault(const char *kind, int fd) {
    int error = asked_for(kind, fd);
    if (error != 0) tally();
    return error;
}

#define WRITER(name, offset_type)                                                       \
    ssize_t name(int fd, const void *data, size_t count, offset_type offset) {          \
        static ssize_t (*real)(int, const void *, size_t, offset_type);                 \
        if (real == NULL) real = dlsym(RTLD_NEXT, #name);                               \
        point_of(fd);                                                                   \
        int error = fault("write=", fd);                                                \
        if (error > 0) {                                                                \
            errno = error;                                                              \
            return -1;                                                                  \
        }                                                                               \
        if (error < 0) {                                                                \
            real(fd, data, count / 2, offset);                                          \
            kill(getpid(), SIGKILL);                                                    \
        }                                                                               \
        return real(fd, data, count, offset);                                           \
    }

WRITER(pwrite, off_t)
WRITER(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL) real = dlsym(RTLD_NEXT, "write");
    point_of(fd);
    int error = fault("write=", fd);
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(fd, data, count);
}

/* Called after a sync: dies here if the control file says so. */
static void synced(int fd) {
    char text[128];
    if (!control(text, sizeof text) || strncmp(text, "synced ", 7) != 0 || !is_database(fd)) return;
    static int calls;
    if (__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) == atoi(text + 7)) kill(getpid(), SIGKILL);
}

#define SYNCER(name)                                                                    \
    int name(int fd) {                                                                  \
        static int (*real)(int);                                                        \
        if (real == NULL) real = dlsym(RTLD_NEXT, #name);                               \
        point_of(fd);                                                                   \
        int error = fault("sync=", fd);                                                 \
        if (error > 0) {                                                                \
            errno = error;                                                              \
            return -1;                                                                  \
        }                                                                               \
        int result = real(fd);                                                          \
        synced(fd);                                                                     \
        return result;                                                                  \
    }

SYNCER(fsync)
SYNCER(fdatasync)

/* The rest is killed, but does not fail. */

#define CUTTER(name, offset_type)                                                       \
    int name(int fd, offset_type length) {                                              \
        static int (*real)(int, offset_type);                                           \
        if (real == NULL) real = dlsym(RTLD_NEXT, #name);                               \
        point_of(fd);                                                                   \
        return real(fd, length);                                                        \
    }

CUTTER(ftruncate, off_t)
CUTTER(ftruncate64, off64_t)

#define OPENER(name)                                                                    \
    int name(const char *path, int flags, ...) {                                        \
        static int (*real)(const char *, int, ...);                                     \
        if (real == NULL) real = dlsym(RTLD_NEXT, #name);                               \
        va_list rest;                                                                   \
        va_start(rest, flags);                                                          \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                       \
        va_end(rest);                                                                   \
        if (flags & O_CREAT) point(path);                                               \
        return real(path, flags, mode);                                                 \
    }

OPENER(open)
OPENER(open64)

int unlink(const char *path) {
    static int (*real)(const char *);
    if (real == NULL) real = dlsym(RTLD_NEXT, "unlink");
    point(path);
    return real(path);
}

#define NAMER(name)                                                                     \
    int name(const char *from, const char *to) {                                        \
        static int (*real)(const char *, const char *);                                 \
        if (real == NULL) real = dlsym(RTLD_NEXT, #name);                               \
        point(to);                                                                      \
        return real(from, to);                                                          \
    }

NAMER(rename)
NAMER(link)

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    static int (*real)(int, const char *, int, const char *, int);
    if (real == NULL) real = dlsym(RTLD_NEXT, "linkat");
    point(to);
    return real(from_folder, from, to_folder, to, flags);
}

static long clock_shift(void) {
    char text[32];
    const char *path = getenv("CLOCK_SHIFT");
    if (path == NULL) return 0;
    int error = errno;
    int fd = raw_open(path, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    errno = error;
    text[length > 0 ? length : 0] = 0;
    return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += clock_shift();
    return result;
}
