/** The bundler turns these into files beside the view's script. */
declare module '*.css';
