/* A PKCS#11 module for tests: another module (BULLA_TEST_MODULE), with faults (BULLA_TEST_FAULT) and a list of the calls that
   matter (BULLA_TEST_LOG). The lists of functions of PKCS#11 2.40 have 68 entries in a fixed order. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long ulong_t;
typedef ulong_t (*call_t)();

struct functions {
    unsigned char version[2];
    call_t call[68];
};

struct attribute {
    ulong_t type;
    void *value;
    ulong_t length;
};

enum { GET_TOKEN_INFO = 6, GET_MECHANISM_LIST = 7, OPEN_SESSION = 12, CLOSE_SESSION = 13, LOGIN = 18, GET_ATTRIBUTES = 24 };
enum { SIGN_INIT = 42, SIGN = 43, SIGN_FINAL = 45 };

static struct functions ours, *theirs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sessions, signatures;

/* The number after `name` in BULLA_TEST_FAULT; -1 if it is not there, 0 if it has none. */
static long fault(const char *name) {
    const char *found = getenv("BULLA_TEST_FAULT");
    size_t length = strlen(name);
    for (; found && *found; found = strchr(found, ',') ? strchr(found, ',') + 1 : NULL)
        if (!strncmp(found, name, length) && (!found[length] || strchr(",=", found[length])))
            return found[length] == '=' ? strtol(found + length + 1, NULL, 0) : 0;
    return -1;
}

static void note(const char *call) {
    const char *path = getenv("BULLA_TEST_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s\n", call);
        fclose(file);
    }
}

static int lost(void) {
    long after = fault("lost-after");
    return after >= 0 && signatures >= after;
}

/* The PIN that is given for each signature is locked after some. */
static int locked(ulong_t user) {
    long after = fault("locked-after");
    return user == 2 && after >= 0 && signatures >= after;
}

static ulong_t get_token_info(ulong_t slot, unsigned char *info) {
    ulong_t result = theirs->call[GET_TOKEN_INFO](slot, info), flags;
    memcpy(&flags, info + 96, sizeof flags);
    if (fault("count-low") >= 0) flags |= 0x10000;
    if (fault("final-try") >= 0) flags |= 0x20000;
    if (fault("locked") >= 0) flags |= 0x40000;
    if (fault("no-login") >= 0) flags &= ~4ul;
    memcpy(info + 96, &flags, sizeof flags);
    return result;
}

/* With `hashing`, the token does not sign what was hashed elsewhere; with `pss`, RSA keys do not sign by PKCS #1 v1.5. */
static int hidden(ulong_t mechanism) {
    if (fault("hashing") >= 0) return mechanism == 0x1 || mechanism == 0xd || mechanism == 0x1041;
    return fault("pss") >= 0 && (mechanism == 0x1 || mechanism == 0x6 || (mechanism >= 0x40 && mechanism <= 0x42));
}

static ulong_t get_mechanism_list(ulong_t slot, ulong_t *list, ulong_t *count) {
    ulong_t result = theirs->call[GET_MECHANISM_LIST](slot, list, count), kept = 0;
    if (result || !list) return result;
    for (ulong_t at = 0; at < *count; at++)
        if (!hidden(list[at])) list[kept++] = list[at];
    *count = kept;
    return 0;
}

static ulong_t open_session(ulong_t slot, ulong_t flags, void *data, void *notify, ulong_t *session) {
    long most = fault("sessions");
    ulong_t result = 0xb1; /* CKR_SESSION_COUNT */
    if (lost()) return 0x32;
    pthread_mutex_lock(&lock);
    note("C_OpenSession");
    if (most < 0 || sessions < most) {
        result = theirs->call[OPEN_SESSION](slot, flags, data, notify, session);
        sessions += !result;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static ulong_t close_session(ulong_t session) {
    pthread_mutex_lock(&lock);
    sessions--;
    pthread_mutex_unlock(&lock);
    return theirs->call[CLOSE_SESSION](session);
}

static ulong_t login(ulong_t session, ulong_t user, unsigned char *pin, ulong_t length) {
    note(user == 2 ? "C_Login again" : "C_Login");
    if (fault("login") > 0) return fault("login");
    if (locked(user)) return 0xa4; /* CKR_PIN_LOCKED */
    return theirs->call[LOGIN](session, user, pin, length);
}

/* With `extractable`, every private key says that it can be taken out; with `no-sign`, that it is not for signing. */
static ulong_t get_attributes(ulong_t session, ulong_t object, struct attribute *list, ulong_t count) {
    ulong_t result = theirs->call[GET_ATTRIBUTES](session, object, list, count);
    for (ulong_t at = 0; at < count; at++) {
        if (!list[at].value || list[at].length != 1) continue;
        if (fault("extractable") >= 0 && list[at].type == 0x162) *(unsigned char *)list[at].value = 1;
        if (fault("no-sign") >= 0 && list[at].type == 0x108) *(unsigned char *)list[at].value = 0;
    }
    return result;
}

static ulong_t sign_init(ulong_t session, void *mechanism, ulong_t key) {
    return lost() ? 0x32 : theirs->call[SIGN_INIT](session, mechanism, key);
}

static ulong_t sign(ulong_t session, unsigned char *data, ulong_t length, unsigned char *signature, ulong_t *made) {
    ulong_t result;
    if (lost()) return 0x32; /* CKR_DEVICE_REMOVED */
    result = theirs->call[SIGN](session, data, length, signature, made);
    if (!result && signature) {
        pthread_mutex_lock(&lock);
        note("C_Sign");
        signatures++;
        pthread_mutex_unlock(&lock);
        if (fault("flip") >= 0) signature[fault("flip")] ^= 1;
        if (fault("short") >= 0) *made -= 1;
    }
    return result;
}

static ulong_t sign_final(ulong_t session, unsigned char *signature, ulong_t *made) {
    ulong_t result = theirs->call[SIGN_FINAL](session, signature, made);
    if (!result && signature) {
        pthread_mutex_lock(&lock);
        note("C_SignFinal");
        signatures++;
        pthread_mutex_unlock(&lock);
    }
    return result;
}

ulong_t C_GetFunctionList(struct functions **list) {
    void *library = dlopen(getenv("BULLA_TEST_MODULE"), RTLD_NOW);
    ulong_t (*get)(struct functions **) = library ? dlsym(library, "C_GetFunctionList") : NULL;
    if (!get || get(&theirs)) return 5;
    ours = *theirs;
    ours.call[GET_TOKEN_INFO] = get_token_info;
    ours.call[GET_MECHANISM_LIST] = get_mechanism_list;
    ours.call[OPEN_SESSION] = open_session;
    ours.call[CLOSE_SESSION] = close_session;
    ours.call[LOGIN] = login;
    ours.call[GET_ATTRIBUTES] = get_attributes;
    ours.call[SIGN_INIT] = sign_init;
    ours.call[SIGN] = sign;
    ours.call[SIGN_FINAL] = sign_final;
    *list = &ours;
    return 0;
}
