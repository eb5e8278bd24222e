// PostGraphile as it is recommended for production, with the names of its fourth version, which the queries use.
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makeV4Preset } from "postgraphile/presets/v4";
import { makePgService } from "postgraphile/adaptors/pg";

export default {
  extends: [PostGraphileAmberPreset, makeV4Preset({ simpleCollections: "both", disableDefaultMutations: true, ignoreRBAC: true, dynamicJson: true })],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ["public"] })],
  grafserv: { watch: false, graphqlPath: "/graphql", graphiql: false },
  grafast: { explain: false },
};
