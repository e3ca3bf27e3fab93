/* msactl: the command line's side of the control socket. A command becomes one or a few operations of
 * the API (msa/console); their answers are printed as tables, or as they are with --json.
 *
 *   command.c    the table of commands and the parser of the command line (pure)
 *   transport.c  HTTP over the socket (libcurl)
 *   prompt.c     passwords from the terminal or stdin, never from the command line
 *   show.c       answers as text (pure)
 *   settings.c   the options of "account set" as settings (pure but for the time zone)
 *   account_commands.c  the commands about settings of accounts
 *   ctl.c        puts them together */
#ifndef MSA_CTL_CTL_H
#define MSA_CTL_CTL_H

/* Exit status of msactl. */
enum ctl_exit {
    CTL_EXIT_OK = 0,
    CTL_EXIT_REFUSED = 1,     /* msad says no, or could not do it */
    CTL_EXIT_USAGE = 2,       /* the command line does not make sense */
    CTL_EXIT_UNREACHABLE = 3, /* msad is not running, or may not be asked by this user */
    CTL_EXIT_LOCAL = 4,       /* configuration, terminal or a file here cannot be read */
};

/* Puts argv in another order. */
int ctl_main(int argc, char *argv[]);

#endif
