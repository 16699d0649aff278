/** The bundler replaces the import with the file's text. */
declare module '*/pagerduty.sh' {
  const text: string
  export default text
}
