/* A disk that can be asked what it was told: every call that changes files below one folder, in order.
 *
 * Preloaded into a real run of the program (LD_PRELOAD). It does what it is asked to do, and beside it
 *
 *   - writes each call down in a journal: from that, tests build what a disk would hold after a power cut;
 *   - asks the test before and after each call, which may then kill the process at that very moment.
 *
 * Both are switched on by the test itself, for one folder at a time; until then nothing is watched. Whatever this
 * does not know of (a way to write that it does not take) is noticed: the journal played to its end must give the
 * folder as it is, byte for byte.
 *
 * fsync is not carried out: no power is cut in truth, and what a process wrote survives its being killed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define HIGHEST 4096
#define REAL(name) ((real_##name) ? (real_##name) : (*(void **)&(real_##name) = dlsym(RTLD_NEXT, #name), (real_##name)))

enum { OPEN = 1, WRITE, TRUNCATE, SYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, SAY };

typedef void (*asked_function)(int kind, const char *path, int done);

static char folder[PATH_MAX];
static size_t folder_length;
static int journal = -1;
static uint64_t opened;
static asked_function asked;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct { uint64_t number; char *path; } files[HIGHEST];

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_sendfile)(int, int, off_t *, size_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_link)(const char *, const char *);
static int (*real_unlink)(const char *);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_rmdir)(const char *);

struct note { uint32_t kind, flags; uint64_t file, place, first, second; };

/* -- what the test calls ------------------------------------------------------------------------------- */

void disk_watch(const char *path, int journal_file, asked_function ask)
{
    strncpy(folder, path, sizeof folder - 1);
    folder_length = strlen(folder);
    journal = journal_file;
    asked = ask;
}

static void put(const void *bytes, size_t size)
{
    const char *left = bytes;
    while (size) {
        ssize_t done = REAL(write)(journal, left, size);
        if (done <= 0)
            abort();
        left += done;
        size -= (size_t)done;
    }
}

static void note(uint32_t kind, uint32_t flags, uint64_t file, uint64_t place,
                 const void *first, size_t first_size, const void *second, size_t second_size)
{
    struct note head = {kind, flags, file, place, first_size, second_size};
    if (journal < 0)
        return;
    put(&head, sizeof head);
    put(first, first_size);
    put(second, second_size);
}

/* What the program has acknowledged, in its place among everything that was written. */
void disk_say(const char *words, size_t size)
{
    pthread_mutex_lock(&lock);
    note(SAY, 0, 0, 0, words, size, "", 0);
    pthread_mutex_unlock(&lock);
}

/* -- which files ---------------------------------------------------------------------------------------- */

static int ours(const char *path)
{
    return folder_length && path && strncmp(path, folder, folder_length) == 0 &&
           (path[folder_length] == '/' || path[folder_length] == 0);
}

/* The whole path of a name that may be relative to an open folder. */
static const char *whole(int at, const char *name, char *room)
{
    if (!folder_length || !name)
        return NULL;
    if (name[0] == '/')
        return name;
    if (at == AT_FDCWD) {
        if (!getcwd(room, PATH_MAX / 2))
            return NULL;
    } else if (at >= 0 && at < HIGHEST && files[at].path) {
        strcpy(room, files[at].path);
    } else {
        return NULL;
    }
    if (strlen(room) + strlen(name) + 2 > PATH_MAX)
        return NULL;
    strcat(room, "/");
    return strcat(room, name);
}

static int watched(int file)
{
    return file >= 0 && file < HIGHEST && files[file].path != NULL;
}

static void ask(int kind, const char *path, int done)
{
    int before = errno;
    if (asked)
        asked(kind, path, done);
    errno = before;
}

static int remember(int file, const char *path, int flags)
{
    if (file >= HIGHEST)
        abort();
    if (file >= 0) {
        pthread_mutex_lock(&lock);
        free(files[file].path);
        files[file].path = strdup(path);
        files[file].number = ++opened;
        note(OPEN, (uint32_t)flags, opened, 0, path, strlen(path), "", 0);
        pthread_mutex_unlock(&lock);
    }
    return file;
}

/* -- opening and closing -------------------------------------------------------------------------------- */

int open(const char *path, int flags, ...)
{
    char room[PATH_MAX];
    mode_t mode = 0;
    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    int file = REAL(open)(path, flags, mode);
    const char *name = whole(AT_FDCWD, path, room);
    return ours(name) ? remember(file, name, flags) : file;
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int at, const char *path, int flags, ...)
{
    char room[PATH_MAX];
    mode_t mode = 0;
    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_list more;
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    int file = REAL(openat)(at, path, flags, mode);
    const char *name = whole(at, path, room);
    return ours(name) ? remember(file, name, flags) : file;
}

int openat64(int at, const char *path, int flags, ...) __attribute__((alias("openat")));

int close(int file)
{
    if (watched(file)) {
        pthread_mutex_lock(&lock);
        free(files[file].path);
        files[file].path = NULL;
        pthread_mutex_unlock(&lock);
    }
    return REAL(close)(file);
}

/* -- bytes ---------------------------------------------------------------------------------------------- */

static uint64_t end_of(int file)
{
    struct stat told;
    return fstat(file, &told) == 0 ? (uint64_t)told.st_size : 0;
}

static void wrote(int file, uint64_t place, const void *bytes, ssize_t size)
{
    if (size > 0)
        note(WRITE, 0, files[file].number, place, "", 0, bytes, (size_t)size);
}

ssize_t write(int file, const void *bytes, size_t size)
{
    if (!watched(file))
        return REAL(write)(file, bytes, size);
    ask(WRITE, files[file].path, 0);
    pthread_mutex_lock(&lock);
    uint64_t place = fcntl(file, F_GETFL) & O_APPEND ? end_of(file) : (uint64_t)lseek(file, 0, SEEK_CUR);
    ssize_t done = REAL(write)(file, bytes, size);
    wrote(file, place, bytes, done);
    pthread_mutex_unlock(&lock);
    ask(WRITE, files[file].path, 1);
    return done;
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t place)
{
    if (!watched(file))
        return REAL(pwrite)(file, bytes, size, place);
    ask(WRITE, files[file].path, 0);
    pthread_mutex_lock(&lock);
    ssize_t done = REAL(pwrite)(file, bytes, size, place);
    wrote(file, (uint64_t)place, bytes, done);
    pthread_mutex_unlock(&lock);
    ask(WRITE, files[file].path, 1);
    return done;
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off_t place) __attribute__((alias("pwrite")));

ssize_t writev(int file, const struct iovec *parts, int count)
{
    if (!watched(file))
        return REAL(writev)(file, parts, count);
    ssize_t all = 0;
    for (int part = 0; part < count; part++) {
        ssize_t done = write(file, parts[part].iov_base, parts[part].iov_len);
        if (done < 0)
            return all ? all : done;
        all += done;
        if ((size_t)done < parts[part].iov_len)
            break;
    }
    return all;
}

/* Not for files that are watched: whoever copies takes its other way. */
ssize_t sendfile(int out, int in, off_t *place, size_t size)
{
    if (!watched(out))
        return REAL(sendfile)(out, in, place, size);
    errno = ENOTSOCK;
    return -1;
}

ssize_t sendfile64(int out, int in, off_t *place, size_t size) __attribute__((alias("sendfile")));

int ftruncate(int file, off_t size)
{
    if (!watched(file))
        return REAL(ftruncate)(file, size);
    ask(TRUNCATE, files[file].path, 0);
    pthread_mutex_lock(&lock);
    int done = REAL(ftruncate)(file, size);
    if (done == 0)
        note(TRUNCATE, 0, files[file].number, (uint64_t)size, "", 0, "", 0);
    pthread_mutex_unlock(&lock);
    ask(TRUNCATE, files[file].path, 1);
    return done;
}

int ftruncate64(int file, off_t size) __attribute__((alias("ftruncate")));

static int sync_of(int file)
{
    ask(SYNC, files[file].path, 0);
    pthread_mutex_lock(&lock);
    note(SYNC, 0, files[file].number, 0, "", 0, "", 0);
    pthread_mutex_unlock(&lock);
    ask(SYNC, files[file].path, 1);
    return 0;
}

int fsync(int file)
{
    return watched(file) ? sync_of(file) : REAL(fsync)(file);
}

int fdatasync(int file)
{
    return watched(file) ? sync_of(file) : REAL(fdatasync)(file);
}

/* -- names ---------------------------------------------------------------------------------------------- */

#define NAMED(kind, call, first, second)                                              \
    do {                                                                              \
        ask(kind, first, 0);                                                          \
        pthread_mutex_lock(&lock);                                                    \
        int done = call;                                                              \
        if (done == 0)                                                                \
            note(kind, 0, 0, 0, first, strlen(first), second, strlen(second));        \
        pthread_mutex_unlock(&lock);                                                  \
        ask(kind, first, 1);                                                          \
        return done;                                                                  \
    } while (0)

int rename(const char *before, const char *after)
{
    if (!ours(before) && !ours(after))
        return REAL(rename)(before, after);
    NAMED(RENAME, REAL(rename)(before, after), before, after);
}

int link(const char *there, const char *also)
{
    if (!ours(there) && !ours(also))
        return REAL(link)(there, also);
    NAMED(LINK, REAL(link)(there, also), there, also);
}

int unlink(const char *path)
{
    if (!ours(path))
        return REAL(unlink)(path);
    NAMED(UNLINK, REAL(unlink)(path), path, "");
}

int unlinkat(int at, const char *path, int flags)
{
    char room[PATH_MAX];
    const char *name = whole(at, path, room);
    if (!ours(name))
        return REAL(unlinkat)(at, path, flags);
    NAMED(flags & AT_REMOVEDIR ? RMDIR : UNLINK, REAL(unlinkat)(at, path, flags), name, "");
}

int mkdir(const char *path, mode_t mode)
{
    if (!ours(path))
        return REAL(mkdir)(path, mode);
    NAMED(MKDIR, REAL(mkdir)(path, mode), path, "");
}

int rmdir(const char *path)
{
    if (!ours(path))
        return REAL(rmdir)(path);
    NAMED(RMDIR, REAL(rmdir)(path), path, "");
}
