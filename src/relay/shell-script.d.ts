/** The bundler puts the file's text where it is imported. */
declare module '*/pagerduty.sh' {
  const text: string
  export default text
}
