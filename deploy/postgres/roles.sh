#!/bin/sh
# Runs once, when the database is made: the two roles with their passwords. `parity-indexer grant-roles` then gives each
# what it needs. psql reads the passwords itself, so that they stand in no argument and no log.
set -eu
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-parity}" <<'SQL'
\set ECHO none
\getenv indexer_password INDEXER_DB_PASSWORD
\getenv api_password API_DB_PASSWORD
SET log_min_error_statement = panic;
SET log_statement = none;
CREATE ROLE parity_indexer LOGIN PASSWORD :'indexer_password';
CREATE ROLE parity_api LOGIN PASSWORD :'api_password';
SQL
