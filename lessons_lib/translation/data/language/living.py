"""The nouns for people and animals; ``nouns`` says what the columns mean."""

# english[/plural] | french[/plural] gender | kinds
PEOPLE = """
man/men             | homme m                   | person shared
woman/women         | femme f                   | person lady shared
boy                 | garçon m                  | person young shared
girl                | fille f                   | person young lady shared
child/children      | enfant m                  | person young
brother             | frère m                   | person kin
sister              | sœur f                    | person kin
mother              | mère f                    | person kin
father              | père m                    | person kin
uncle               | oncle m                   | person kin
friend              | ami m                     | person friend
neighbour           | voisin m                  | person
teacher             | professeur m              | person job
doctor              | médecin m                 | person job
student             | étudiant m                | person job
farmer              | fermier m                 | person job
king                | roi m                     | person job shared
queen               | reine f                   | person lady shared
hero/heroes         | *héros m                  | person shared
aunt                | tante f                   | person kin lady
cousin              | cousin m                  | person kin
grandmother         | grand-mère/grands-mères f | person kin mother
grandfather         | grand-père/grands-pères m | person kin father
son                 | fils m                    | person kin
daughter            | fille f                   | person kin
husband             | mari m                    | person kin father spouse
wife/wives          | femme f                   | person kin mother spouse
baby                | bébé m                    | person young
lady                | dame f                    | person shared
guest               | invité m                  | person
customer            | client m                  | person
tourist             | touriste m                | person shared
boss                | patron m                  | person
thief/thieves       | voleur m                  | person shared
prince              | prince m                  | person shared
princess            | princesse f               | person lady shared
nurse               | infirmière f              | person job
singer              | chanteur m                | person job
dancer              | danseur m                 | person job
baker               | boulanger m               | person job
cook                | cuisinier m               | person job
writer              | écrivain m                | person job
poet                | poète m                   | person job
driver              | chauffeur m               | person job
soldier             | soldat m                  | person job
policeman/policemen | policier m                | person job
waiter              | serveur m                 | person job
painter             | peintre m                 | person job
actor               | acteur m                  | person job
actress             | actrice f                 | person job lady
lawyer              | avocat m                  | person job
engineer            | ingénieur m               | person job
musician            | musicien m                | person job
"""

# english[/plural] | french[/plural] gender | kinds
ANIMALS = """
cat         | chat m          | animal small
dog         | chien m         | animal small
bird        | oiseau m        | animal small
mouse/mice  | souris f        | animal small
rabbit      | lapin m         | animal small
hen         | poule f         | animal small
owl         | *hibou/hiboux m | animal small
horse       | cheval m        | animal big
cow         | vache f         | animal big
wolf/wolves | loup m          | animal big
elephant    | éléphant m      | animal big
pig         | cochon m        | animal
lamb        | agneau m        | animal
goat        | chèvre f        | animal
duck        | canard m        | animal small
lion        | lion m          | animal big
bear        | ours m          | animal big
tiger       | tigre m         | animal big
donkey      | âne m           | animal big
monkey      | singe m         | animal small
fox         | renard m        | animal small
frog        | grenouille f    | animal small
turtle      | tortue f        | animal small
parrot      | perroquet m     | animal small
"""
