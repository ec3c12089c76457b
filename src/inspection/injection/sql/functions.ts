/** What a function or an object of a database is good for in an attack. */
export type Trait = 'plain' | 'time' | 'error' | 'file' | 'schema'

/** Functions of every dialect that serve a purpose in honest queries and in attacks. */
export const calls: readonly string[] =
  `abs acos aes_decrypt aes_encrypt ascii asciistr asin atan avg bin bit_and bit_count bit_length bit_or bit_xor cast ceil ceiling
  char char_length character_length charindex chr coalesce col_name compress concat concat_ws connection_id conv convert cos cot
  count crc32 curdate current_database current_schema current_setting current_user curtime database date date_add date_format
  datediff datalength db_id db_name decode degrees des_encrypt difference encode encrypt exists export_set field find_in_set floor
  format from_base64 from_unixtime greatest group_concat hashbytes hex host_name hour iff ifnull iif inet_aton inet_ntoa instr
  is_member is_srvrolemember json_array json_array_length json_depth json_extract json_length json_object json_search json_type
  json_value lag last_insert_id lcase lead least len length listagg ln locate log log10 log2 lower lpad ltrim max md5 mid min minute
  month now ntile nullif nvl nvl2 object_id object_name oct octet_length ord password patindex pi position pow power quote
  quote_ident quote_literal quotename radians rand random rank rawtohex regexp_count regexp_instr regexp_like regexp_replace
  regexp_substr repeat replicate reverse round row_number rownum rpad rtrim schema schema_name scope_identity second serverproperty
  session_user sha sha1 sha2 sign sin soundex space sqlite_version sqrt stddev str strcmp string_agg stuff substr substring
  substring_index sum suser_name suser_sname sys_context sysdate system_user tan to_base64 to_char to_date to_hex to_number
  total_changes translate trim try_cast try_convert typeof ucase unhex unicode unistr upper user user_id user_name userenv utf8_encode
  uuid variance version wm_concat xmlagg xmlelement year zeroblob @@version`
    .trim()
    .split(/\s+/)

/** Functions that an attack uses for what they do besides answering. */
export const callTraits: readonly (readonly [Trait, readonly string[]])[] = [
  [
    'time',
    [
      'sleep',
      'benchmark',
      'pg_sleep',
      'pg_sleep_for',
      'pg_sleep_until',
      'dbms_lock.sleep',
      'dbms_session.sleep',
      'user_lock.sleep',
      'dbms_pipe.receive_message',
      'dbms_lock',
      'sleepeachrow',
      'randomblob',
      'generate_series',
      'regexp_substring',
      'crypt_key',
      'get_lock',
      'system$wait',
    ],
  ],
  [
    'error',
    [
      'extractvalue',
      'updatexml',
      'exp',
      'elt',
      'make_set',
      'gtid_subset',
      'gtid_subtract',
      'json_keys',
      'name_const',
      'st_latfromgeohash',
      'st_longfromgeohash',
      'st_pointfromgeohash',
      'geometrycollection',
      'multipoint',
      'multipolygon',
      'multilinestring',
      'linestring',
      'polygon',
      'xmltype',
      'analyse',
      'utl_inaddr.get_host_address',
      'utl_inaddr.get_host_name',
      'dbms_utility.sqlid_to_sqlhash',
      'dbms_xmlgen.getxml',
      'ctxsys.drithsx.sn',
      'ordsys.ord_dicom.getmappingxpath',
      'xdburitype',
      'query_to_xml',
      'database_to_xml',
      'table_to_xml',
      'table_to_xml_and_xmlschema',
      'fn_virtualfilestats',
      'uuid_to_bin',
      'bin_to_uuid',
    ],
  ],
  [
    'file',
    [
      'load_file',
      'load_extension',
      'readfile',
      'writefile',
      'pg_read_file',
      'pg_read_binary_file',
      'pg_ls_dir',
      'pg_stat_file',
      'pg_file_write',
      'lo_import',
      'lo_export',
      'lo_from_bytea',
      'lo_get',
      'lo_put',
      'bfilename',
      'utl_file.fopen',
      'utl_http.request',
      'utl_tcp.open_connection',
      'utl_smtp.open_connection',
      'httpuritype',
      'dbms_ldap.init',
      'dblink',
      'dblink_connect',
      'dblink_exec',
      'openrowset',
      'opendatasource',
      'openquery',
      'sys_eval',
      'sys_exec',
      'lib_mysqludf_sys_info',
      'xp_cmdshell',
      'xp_dirtree',
      'xp_fileexist',
      'xp_subdirs',
      'xp_regread',
      'xp_regwrite',
      'xp_servicecontrol',
      'xp_availablemedia',
      'xp_loginconfig',
      'xp_enumdsn',
      'xp_makecab',
      'xp_ntsec_enumdomains',
      'xp_terminate_process',
      'sp_executesql',
      'sp_oacreate',
      'sp_oamethod',
      'sp_configure',
      'sp_addextendedproc',
      'sp_makewebtask',
      'sp_password',
      'sp_addlogin',
      'sp_addsrvrolemember',
      'sp_helpdb',
      'sp_prepare',
      'file_write',
      'file_read',
      'csvread',
      'csvwrite',
      'sqloledb',
      'msdasql',
      'java_method',
      'dbms_java.runjava',
      'dbms_scheduler.create_job',
      'dbms_export_extension',
    ],
  ],
]

/** Tables that tell of other tables, and of who may do what. */
export const objects: ReadonlySet<string> = new Set(
  `information_schema sysobjects syscolumns sysusers sysdatabases syslogins sysprocesses systables sqlite_master sqlite_schema
  sqlite_temp_master pg_catalog pg_tables pg_class pg_attribute pg_namespace pg_user pg_shadow pg_roles pg_database pg_authid
  pg_stat_activity pg_proc all_tables all_users all_tab_columns all_tab_cols all_objects all_db_links user_tables user_tab_columns
  user_objects user_constraints user_views dba_users dba_tables dba_tab_columns dba_role_privs session_privs user_role_privs
  mysql.user mysql.db mysql.innodb_table_stats msysaccessobjects msysaccessxml msysobjects msysaces msysqueries msysrelationships
  innodb_table_stats domain.domains domain.columns domain.tables sys.objects sys.tables sys.columns sys.databases sys.schemas
  sys.sql_logins sys.user_objects sys.schema_table_statistics sys.x$schema_flattened_keys xtype system.tables system.columns
  table_schema column_name table_name schema_name dual sysibm.sysdummy1 sysibm.systables syscat.tables syscat.columns
  sysmaster`
    .trim()
    .split(/\s+/),
)

/** How names of such tables and packages begin. */
export const objectPrefixes: readonly string[] = [
  'rdb$',
  'mon$',
  'v$',
  'gv$',
  'x$',
  'sys.',
  'sysibm.',
  'syscat.',
  'dbms_',
  'utl_',
  'xp_',
  'ctxsys.',
  'ordsys.',
  'information_schema.',
  'performance_schema.',
]
