package pgcatalog

// sources are the relations of pg_catalog (and akidb) that may have rows; a
// relation without an entry is always empty. Filled in init: sources refer to
// the relations, and those to the sources.
var sources, informationSources map[string]*source

func init() {
	sources = map[string]*source{
		"pg_class":      classSource,
		"pg_attribute":  attributeSource,
		"pg_attrdef":    defaultSource,
		"pg_type":       typeSource,
		"pg_enum":       enumSource,
		"pg_namespace":  namespaceSource,
		"pg_index":      indexSource,
		"pg_constraint": constraintSource,
		"pg_sequence":   sequenceSource,
		"pg_proc":       functionSource,
		"pg_aggregate":  aggregateSource,
		"pg_operator":   operatorSource,
		"pg_cast":       castSource,
		"pg_opclass":    opclassSource,
		"pg_opfamily":   opfamilySource,
		"pg_am":         methodSource,
		"pg_language":   languageSource,
		"pg_collation":  collationSource,
		"pg_tablespace": tablespaceSource,

		"pg_partitioned_table": partitionedSource,
		"pg_inherits":          inheritsSource,

		"pg_depend":                       dependSource,
		"pg_description":                  descriptionSource,
		"pg_shdescription":                sharedDescriptionSource,
		"pg_extension":                    extensionSource,
		"pg_available_extensions":         availableExtensionSource,
		"pg_available_extension_versions": extensionVersionSource,

		"pg_database":        databaseSource,
		"pg_authid":          authidSource,
		"pg_roles":           rolesSource,
		"pg_user":            userSource,
		"pg_shadow":          shadowSource,
		"pg_group":           groupSource,
		"pg_auth_members":    memberSource,
		"pg_db_role_setting": roleSettingSource,

		"pg_tables":              tablesView,
		"pg_indexes":             indexesView,
		"pg_views":               viewsView,
		"pg_sequences":           sequencesView,
		"pg_settings":            settingsView,
		"pg_timezone_names":      zoneNamesView,
		"pg_timezone_abbrevs":    zoneAbbrevsView,
		"pg_prepared_statements": dynamic("pg_prepared_statements", preparedRow),
		"pg_cursors":             dynamic("pg_cursors", cursorRow),
		"pg_locks":               dynamic("pg_locks", sameRow),

		"pg_stat_activity":              dynamic("pg_stat_activity", activityRow),
		"pg_stat_progress_create_index": dynamic("pg_stat_progress_create_index", progressRow),
		"pg_stat_database":              databaseStats,
		"pg_stat_all_tables":            tableStats,
		"pg_stat_user_tables":           tableStats,
		"pg_statio_all_tables":          tableIOStats,
		"pg_statio_user_tables":         tableIOStats,
		"pg_stat_all_indexes":           indexStats,
		"pg_stat_user_indexes":          indexStats,
		"pg_statio_all_indexes":         indexIOStats,
		"pg_statio_user_indexes":        indexIOStats,

		"collection_tiers": tiersSource,
		"snapshots":        dynamic("snapshots", sameRow),
	}
	informationSources = map[string]*source{
		"tables":                          schemaTables,
		"columns":                         schemaColumns,
		"views":                           schemaViews,
		"schemata":                        schemaSchemata,
		"sequences":                       schemaSequences,
		"routines":                        schemaRoutines,
		"table_constraints":               schemaTableConstraints,
		"key_column_usage":                schemaKeyColumns,
		"constraint_column_usage":         schemaConstraintColumns,
		"constraint_table_usage":          schemaConstraintTables,
		"referential_constraints":         schemaReferences,
		"check_constraints":               schemaChecks,
		"role_table_grants":               schemaGrants,
		"table_privileges":                schemaGrants,
		"role_column_grants":              schemaColumnGrants,
		"column_privileges":               schemaColumnGrants,
		"information_schema_catalog_name": schemaCatalogName,
		"enabled_roles":                   schemaEnabledRoles,
		"applicable_roles":                nil,
		"character_sets":                  schemaCharacterSets,
		"element_types":                   schemaElementTypes,
		"domains":                         schemaDomains,
	}
}
