import { ciName, derived, isSet, readFields, type Provider } from '../fields.ts'

/**
 * TeamCity. Branch and repository are parameters, which a build must export as variables itself. Project and configuration
 * take the place of the repository: they are the same in every build.
 *
 * https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html
 */
export const TEAMCITY: Provider = {
  matches: (env) => isSet(env.TEAMCITY_VERSION),
  read: (env) =>
    readFields(env, {
      ci: [ciName('TeamCity', 'TEAMCITY_VERSION')],
      repository: [
        derived(
          env,
          ['TEAMCITY_PROJECT_NAME', 'TEAMCITY_BUILDCONF_NAME'],
          (project, configuration) => `${project}/${configuration}`,
        ),
        'TEAMCITY_BUILDCONF_NAME',
      ],
      commit: ['BUILD_VCS_NUMBER'],
      buildId: ['BUILD_NUMBER'],
      buildUrl: ['BUILD_URL'],
      job: ['TEAMCITY_BUILDCONF_NAME'],
    }),
}
