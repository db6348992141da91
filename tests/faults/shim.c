/*
 * Makes the disk fail below SQLite. Preloaded into the server, it stands before the calls of the C
 * library that write, and reads from a control file what to do with those on database files:
 *
 *   write=ENOSPC   fail with this error (ENOSPC, EIO or EROFS)
 *   sync=EIO       the same for fsync and fdatasync, after the data was handed over
 *   tear           write half of the bytes, then die as in a power loss
 *
 * A number after a space says which call of that kind is the first to fail, counted from 1.
 *
 * An empty or missing control file lets everything through. Each fault adds a byte to another file,
 * so that they can be counted.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int control(char *text, size_t size) {
    const char *path = getenv("FAULT_CONTROL");
    if (path == NULL) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, size - 1);
    close(fd);
    text[length > 0 ? length : 0] = 0;
    return length > 0;
}

/* Whether a descriptor is the database, its write-ahead log or its journal. */
static int is_database(int fd) {
    char link[64], target[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length <= 0) return 0;
    target[length] = 0;
    const char *found = strstr(target, ".db");
    return found != NULL && strstr(found, ".lock") == NULL;
}

/* The error that is asked for, 0 for none, -1 to tear. */
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

/* The same, and counts it. */
static int fault(const char *kind, int fd) {
    int error = asked_for(kind, fd);
    const char *path = getenv("FAULT_COUNT");
    if (error == 0 || path == NULL) return error;
    int count = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (count >= 0) {
        /* No database, so that this goes through. */
        if (write(count, "x", 1) != 1) abort();
        close(count);
    }
    return error;
}

#define WRITER(name, offset_type)                                                       \
    ssize_t name(int fd, const void *data, size_t count, offset_type offset) {          \
        static ssize_t (*real)(int, const void *, size_t, offset_type);                 \
        if (real == NULL) real = dlsym(RTLD_NEXT, #name);                               \
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
    int error = fault("write=", fd);
    if (error > 0) {
        errno = error;
        return -1;
    }
    return real(fd, data, count);
}

#define SYNCER(name)                                                                    \
    int name(int fd) {                                                                  \
        static int (*real)(int);                                                        \
        if (real == NULL) real = dlsym(RTLD_NEXT, #name);                               \
        int error = fault("sync=", fd);                                                 \
        if (error > 0) {                                                                \
            errno = error;                                                              \
            return -1;                                                                  \
        }                                                                               \
        return real(fd);                                                                \
    }

SYNCER(fsync)
SYNCER(fdatasync)
