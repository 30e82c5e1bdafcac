/* A small charger controller: PSP terminal on one side, bay link on the other.
 *
 *   main.c    options, clock, links, the one poll() loop
 *   psp.c     the terminal: blocks, set-up, reading cards, one request at a time
 *   bay.c     the charger: JSON lines in and out
 *   ledger.c  what must survive a power cut
 *   charge.c  the sessions' lives: the only file that decides anything
 *
 * All times are milliseconds of a clock that runs --time-scale times faster. Timers use
 * the monotonic clock (`now`); only what outlives a restart uses the calendar. */
#ifndef CONTROLLER_H
#define CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t ms_t;

/* --- main.c: settings and clock ------------------------------------------------- */

struct settings {                       /* from declaration.toml; windows in seconds */
    int64_t connectors, max_power_w, reserve, per_kwh;
    int64_t plug_in_window, no_energy_window, charger_loss_window, parked_full_window;
};
extern struct settings settings;
extern int64_t time_scale;
extern ms_t now;

#define SECONDS(n) ((ms_t)(n) * 1000)
#define HASTE (100 * time_scale)        /* 0.1 s of real time, for scheduling delays */

ms_t calendar(void);                    /* milliseconds since 1970, scaled as well */
bool due(ms_t at);                      /* has `at` come? If not, the loop wakes then; 0: never */
void go_round(void);                    /* something has changed: look at everything again */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- main.c: a TCP connection or a serial port that is opened again when it fails --- */

struct link {
    const char *url;
    void (*up)(void), (*down)(void);
    void (*bytes)(const uint8_t *data, size_t size);
    int fd;
    bool is_up, is_serial;
    ms_t again, pause;
    size_t unsent;
    uint8_t out[1 << 16];
};
void link_write(struct link *link, const void *data, size_t size);
void link_restart(struct link *link);   /* close now, open again after a pause */

/* --- psp.c ------------------------------------------------------------------------ */

enum outcome { CONFIRMED, NOT_FOUND, WRONG_STATE, GARBLED, REFUSED, NO_ANSWER };

extern struct link psp_link;
void psp_tick(void);
bool psp_is_ready(void);
bool psp_is_authorising(void);
bool psp_can_close(void);               /* one request at a time */
void psp_close(uint32_t id, bool commit, uint32_t amount);
void psp_authorise(void);
void psp_drop_card(void);
void psp_set_up_again(void);

/* --- bay.c ------------------------------------------------------------------------ */

struct connector {
    int number;
    char pilot;
    bool closed, locked, available, served, unlocking;
    unsigned faults;                    /* one bit for each code that stops a charge */
    int64_t register_wh, power_w;
    ms_t plugged_at;
};
extern struct link bay_link;
extern struct connector connectors[33]; /* [1] to [settings.connectors] */
extern bool charger_is_up, emergency_stop;
void bay_tick(void);
void bay_command(const char *type, int connector, const char *key, bool value);
void show(int connector, const char *kind, const char *code, uint32_t id, int64_t amount,
          const char *text);
void alarm_operator(const char *code, uint32_t id, const char *text);

/* --- ledger.c --------------------------------------------------------------------- */

enum state {
    FREE = 0,
    INTENT = 'I',                       /* asking the issuer: money may be held */
    RESERVED = 'R', STARTING = 'S', CHARGING = 'C', STOPPING = 'P',
    CLOSING = 'K',                      /* operation and amount decided, not confirmed */
    CLOSED = 'X', EXHAUSTED = 'E', LOST = 'L'
};

struct session {                        /* each field is in the ledger ... */
    uint32_t key, id;
    int state, connector;
    char card[68];
    int64_t limit, register_wh, energy_wh, amount;
    ms_t opened, lost, metered;         /* calendar */
    bool commit, in_flight, maybe_done;
    int attempts;
    ms_t next, sent;                    /* calendar */
    /* ... except what a restart finds out anew */
    bool ordered, unwanted, is_free, was_free, is_repeat, was_repeated, put_off, meter_doubted;
    ms_t window, feedback, cap, idle, silent, final, gone;
    const char *why;
};
#define MAX_SESSIONS 64
extern struct session sessions[MAX_SESSIONS];
extern bool ledger_damaged, ledger_writable;
void ledger_open(const char *directory);
bool ledger_put(const struct session *session);
void ledger_tick(void);
struct session *ledger_new(void);       /* NULL: too many open sessions */

/* --- charge.c: told by the others --------------------------------------------------- */

void charge_boot(void);
void charge_tick(void);

void on_terminal_ready(void);
void on_card(const char *hash, bool is_payment);
bool is_awaited(const char *hash);                  /* is this card being authorised? */
void on_approved(uint32_t id, int64_t amount, bool is_awaited); /* -1: all that was asked for */
void on_declined(void);
void on_no_answer(uint32_t suspect);                /* suspect: id in a damaged approval */
void on_close_answer(enum outcome outcome, int reason);

void on_charger_lost(void);
void on_welcome(void);
void on_pilot(struct connector *c, char before);
void on_contactor(struct connector *c);
void on_lock(struct connector *c);
void on_meter(struct connector *c, bool is_good);
void on_rejected(struct connector *c, bool is_contactor);
void on_press(struct connector *c, const char *button);
void on_obstacle(void);                             /* fault, emergency stop, availability */

#endif
