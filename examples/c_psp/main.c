/* Options, clock, links and the loop. Nothing here knows what a charge is. */
#define _DEFAULT_SOURCE
#include "controller.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define NOT_IMPLEMENTED 89

int64_t time_scale = 1;
ms_t now;
struct settings settings = {
    .connectors = 2, .max_power_w = 22000, .reserve = 5000, .per_kwh = 59,
    .plug_in_window = 300, .no_energy_window = 300, .charger_loss_window = 600,
};
static ms_t wake;                       /* the earliest of all that are not due yet */
static volatile sig_atomic_t stopping;

/* --- Clock ----------------------------------------------------------------------- */

static ms_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (t.tv_sec * 1000 + t.tv_nsec / 1000000) * time_scale;
}

ms_t calendar(void) { return clock_ms(CLOCK_REALTIME); }

bool due(ms_t at)
{
    if (at > now && at < wake)
        wake = at;
    return at && at <= now;
}

void go_round(void) { wake = now; }

void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%10.3f ", (double)now / 1000);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static void refuse(const char *what, const char *found)
{
    fprintf(stderr, "c_psp: not implemented: %s = %s\n", what, found);
    exit(NOT_IMPLEMENTED);
}

/* --- Links ----------------------------------------------------------------------- */

static int open_serial(const char *url)
{
    static const struct { int baud; speed_t speed; } rates[] = {
        {9600, B9600}, {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200},
    };
    char path[256];
    const char *question = strstr(url, "?baud=");
    int baud = question ? atoi(question + 6) : 115200;
    speed_t speed = 0;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (rates[i].baud == baud)
            speed = rates[i].speed;
    if (!speed)
        refuse("baud rate", url);
    snprintf(path, sizeof path, "%s", url + strlen("serial://"));
    path[strcspn(path, "?")] = 0;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios t;
    if (fd >= 0 && tcgetattr(fd, &t) == 0) {
        cfmakeraw(&t);
        t.c_cflag |= CLOCAL | CREAD;
        cfsetspeed(&t, speed);
        tcsetattr(fd, TCSANOW, &t);
        tcflush(fd, TCIOFLUSH);
    }
    return fd;
}

static int open_tcp(const char *url)
{
    char host[256];
    snprintf(host, sizeof host, "%s", url + strlen("tcp://"));
    char *colon = strrchr(host, ':');
    if (!colon)
        refuse("address", url);
    *colon = 0;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, colon + 1, &hints, &found))
        return -1;
    int one = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(fd, found->ai_addr, found->ai_addrlen) && errno != EINPROGRESS) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static void link_open(struct link *link)
{
    link->is_serial = !strncmp(link->url, "serial://", 9);
    if (!link->is_serial && strncmp(link->url, "tcp://", 6))
        refuse("link", link->url);
    link->unsent = 0;
    link->fd = link->is_serial ? open_serial(link->url) : open_tcp(link->url);
    link->again = 0;
    if (link->fd < 0)
        link_restart(link);
}

void link_restart(struct link *link)
{
    bool was_up = link->is_up;
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->is_up = false;
    link->pause = was_up ? SECONDS(1) : link->pause * 2;
    if (link->pause > SECONDS(20))
        link->pause = SECONDS(20);
    link->again = now + link->pause;
    if (was_up)
        link->down();
}

static void link_flush(struct link *link)
{
    ssize_t n = write(link->fd, link->out, link->unsent);
    if (n > 0)
        memmove(link->out, link->out + n, link->unsent -= (size_t)n);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        link_restart(link);
}

void link_write(struct link *link, const void *data, size_t size)
{
    if (!link->is_up)
        return;
    if (size > sizeof link->out - link->unsent) {   /* nobody reads at the other end */
        link_restart(link);
        return;
    }
    go_round();
    memcpy(link->out + link->unsent, data, size);
    link->unsent += size;
    link_flush(link);
}

static void link_ready(struct link *link, short events)
{
    if (!link->is_up && events) {       /* a connect has ended, one way or the other */
        int error = 0;
        socklen_t size = sizeof error;
        if (!link->is_serial)
            getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            link_restart(link);
            return;
        }
        link->is_up = true;
        link->up();
    } else if (events & POLLOUT) {
        link_flush(link);
    }
    if (link->is_up && events & (POLLIN | POLLHUP | POLLERR)) {
        uint8_t data[4096];
        ssize_t n = read(link->fd, data, sizeof data);
        if (n > 0)
            link->bytes(data, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            link_restart(link);
    }
}

static struct pollfd link_poll(struct link *link)
{
    if (link->fd < 0 && due(link->again))
        link_open(link);
    bool writes = !link->is_up || link->unsent;
    return (struct pollfd){.fd = link->fd, .events = (short)(POLLIN | (writes ? POLLOUT : 0))};
}

/* --- Settings -------------------------------------------------------------------- */

/* The keys of declaration.toml that are needed: `key = number`, one a line. */
static void read_declaration(const char *path)
{
    static const struct { const char *key; int64_t *value; } known[] = {
        {"connectors", &settings.connectors}, {"max_power_w", &settings.max_power_w},
        {"reserve", &settings.reserve}, {"per_kwh", &settings.per_kwh},
        {"plug_in_window", &settings.plug_in_window},
        {"no_energy_window", &settings.no_energy_window},
        {"charger_loss_window", &settings.charger_loss_window},
        {"parked_full_window", &settings.parked_full_window},
    };
    /* What this example cannot do is refused, not ignored. */
    static const struct { const char *key, *only; } fixed[] = {
        {"interface", "psp"}, {"terminal", "apollo"}, {"scanning", "always"},
        {"amount_strategy", "maximum"}, {"same_card_twice", "refuse"}, {"rounding", "half_up"},
        {"rfid", "false"}, {"free_vend", "false"}, {"ventilation", "false"},
        {"bay_sensor", "false"}, {"per_minute", "0"}, {"per_session", "0"}, {"minimum", "0"},
    };
    char line[512], key[64], value[64];
    FILE *file = fopen(path, "r");
    if (!file)
        refuse("declaration", path);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, " %63[a-z_] = \"%63[^\"]", key, value) != 2
            && sscanf(line, " %63[a-z_] = %63[a-z0-9_]", key, value) != 2)
            continue;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (!strcmp(key, known[i].key))
                *known[i].value = strtoll(value, NULL, 10);
        for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
            if (!strcmp(key, fixed[i].key) && strcmp(value, fixed[i].only))
                refuse(key, value);
    }
    fclose(file);
    if (settings.connectors < 1 || settings.connectors > 32)
        refuse("connectors", "not 1 to 32");
}

static const char *option(int argc, char **argv, const char *name, const char *variable)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], name))
            return argv[i + 1];
    return getenv(variable);
}

static void on_signal(int number) { (void)number, stopping = 1; }

int main(int argc, char **argv)
{
    const char *scale = option(argc, argv, "--time-scale", "NOHOLD_TIME_SCALE");
    const char *state = option(argc, argv, "--state", "NOHOLD_STATE_DIR");
    const char *declaration = option(argc, argv, "--declaration", "NOHOLD_DECLARATION");
    psp_link.url = option(argc, argv, "--psp", "NOHOLD_PSP");
    bay_link.url = option(argc, argv, "--bay", "NOHOLD_BAY");
    if (!psp_link.url || !bay_link.url || !state)
        refuse("options", "needs --psp URL --bay URL --state DIRECTORY");
    time_scale = scale ? atoll(scale) : 1;
    if (time_scale < 1 || time_scale > 20)
        refuse("--time-scale", scale);
    if (declaration)
        read_declaration(declaration);

    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    now = clock_ms(CLOCK_MONOTONIC);
    ledger_open(state);
    charge_boot();
    struct link *links[] = {&psp_link, &bay_link};
    for (int i = 0; i < 2; i++) {
        links[i]->pause = SECONDS(1) / 2;
        link_open(links[i]);
    }
    while (!stopping) {
        struct pollfd polled[2];
        now = clock_ms(CLOCK_MONOTONIC);
        wake = now + SECONDS(3600);
        bay_tick();
        charge_tick();                  /* before psp_tick: closes go first */
        psp_tick();
        ledger_tick();
        for (int i = 0; i < 2; i++)
            polled[i] = link_poll(links[i]);
        poll(polled, 2, (int)((wake - now + time_scale - 1) / time_scale));
        now = clock_ms(CLOCK_MONOTONIC);
        for (int i = 0; i < 2; i++)
            if (polled[i].revents && polled[i].fd == links[i]->fd)
                link_ready(links[i], polled[i].revents);
    }
    note("stopped");
    return 0;                           /* everything that matters is on disk already */
}
