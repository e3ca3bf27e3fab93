/* A disk that fails: test_db_faults.c has an fdatasync of its own, for the whole test program. */
#ifndef TESTS_UNIT_DB_FAULTS_H
#define TESTS_UNIT_DB_FAULTS_H

/* Not 0: every sync fails with it. */
extern int db_faults_sync_errno;

#endif
